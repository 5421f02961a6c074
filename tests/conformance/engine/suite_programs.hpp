// What the engine suite's images and commands do, for an engine without a shell. A command that is missing here fails a CHECK: who
// adds a test to the suite adds it.
#pragma once

#include <string>

#include "sim/engine_program.hpp"

namespace davit::conformance {

inline constexpr char const* kSuiteImage = "davit-suite/tools:1";
inline constexpr char const* kSuiteCheckedImage = "davit-suite/checked:1";  // the same with a HEALTHCHECK that succeeds

sim::Catalogue suite_catalogue();

}  // namespace davit::conformance
