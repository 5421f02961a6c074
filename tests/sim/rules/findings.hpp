// What the rules have found in one run. The first finding ends the run; it names the rule, so that a shrunk run can be told to fail alike.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace davit::sim {

struct Finding {
  std::string rule;
  std::string text;
};

class Findings {
 public:
  void add(std::string rule, std::string text) {
    if (!first_) first_ = Finding{std::move(rule), std::move(text)};
  }
  std::optional<Finding> const& first() const { return first_; }
  bool empty() const { return !first_; }
  void checked() { ++checks_; }
  std::uint64_t checks() const { return checks_; }

 private:
  std::optional<Finding> first_;
  std::uint64_t checks_ = 0;
};

}  // namespace davit::sim
