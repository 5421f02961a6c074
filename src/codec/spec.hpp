// The spec of a service as JSON: strict reading, the canonical form, merge patches and differences. Any thread.
//
// Reading coerces nothing but for the short forms: ports (80, "8080:80/udp", …), volumes ("data:/path:ro"), words ("a 'b c'"),
// maps as ["K=v"] and numbers as their values, health tests and lists as one string, ulimits as one number, sizes as "512m",
// durations as "1m30s". null stands for the default everywhere.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/fields.hpp"
#include "codec/value.hpp"
#include "model/problem.hpp"
#include "model/spec.hpp"

namespace davit::codec {

inline constexpr std::size_t kMaxSpecBytes = 128 * 1024;  // in canonical form

struct SpecRead {
  model::ServiceSpec spec;
  std::vector<model::Problem> problems;  // all of them; the spec is good only if there are none
};

// The form alone: types, ranges, words, names.
SpecRead read_spec(Value const& value);

// The form, then the rules of model/validate.hpp, then the size. `name` may be empty: then it is not looked at.
SpecRead read_valid_spec(std::string_view name, Value const& value);

// The canonical form: long forms, in the table's order. What is left out is the default; reading it back gives the same spec.
Value write_spec(model::ServiceSpec const& spec, Defaults defaults = Defaults::Omit);

// RFC 7396: members of the patch replace, null removes, everything but objects is replaced whole.
Value merge_patch(Value target, Value const& patch);

// One field that differs; environment and labels by key.
struct Difference {
  std::string pointer;
  std::string before;  // JSON; empty: not there
  std::string after;
  model::Change change = model::Change::None;
  friend bool operator==(Difference const&, Difference const&) = default;
};
std::vector<Difference> diff(model::ServiceSpec const& before, model::ServiceSpec const& after);

}  // namespace davit::codec
