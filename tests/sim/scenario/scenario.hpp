// Plays one scenario from its text (tests/sim/scenarios/README.md).
#pragma once

#include <optional>
#include <string>

#include "sim/scenario/script.hpp"

namespace davit::sim {

struct ScenarioOutcome {
  std::string trace;
  std::optional<std::string> failure;  // the line that failed, and why
};

ScenarioOutcome play_scenario(Script const& script);

// The first line in which they differ, in words; empty when they are alike.
std::string difference_between(std::string_view expected, std::string_view trace);

}  // namespace davit::sim
