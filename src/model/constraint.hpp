// Conditions on nodes, in docker's grammar: "node.labels.disk==ssd", "node.name != n3"; and what to spread over. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "model/spec.hpp"

namespace davit::model {

struct Constraint {
  enum class Subject : std::uint8_t { Id, Name, Role, Os, Arch, Label };
  Subject subject = Subject::Label;
  std::string label;  // Subject::Label: its key
  bool is_equal = true;
  std::string value;
  friend auto operator<=>(Constraint const&, Constraint const&) = default;

  bool is_of_platform() const { return subject == Subject::Os || subject == Subject::Arch; }
};

// Error::message says what can be written instead. Code::Unsupported: docker knows it, this version does not.
Result<Constraint> parse_constraint(std::string_view text);
// As docker writes it, without blanks.
std::string to_text(Constraint const& constraint);

// The label's key in "spread=node.labels.zone" (docker's --placement-pref), "node.labels.zone" and "zone".
Result<std::string> parse_spread(std::string_view text);
// What a valid placement spreads over; empty: nothing.
std::string spread_label(Placement const& placement);

}  // namespace davit::model
