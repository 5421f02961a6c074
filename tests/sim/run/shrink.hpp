// Leaves out faults of a failing run as long as it fails alike: what is left is what it takes.
#pragma once

#include <functional>

#include "sim/run/run.hpp"

namespace davit::sim {

// `failure`: the run's result as it was. `on_progress` hears how many faults are left.
RunOptions shrink(RunOptions options, RunResult const& failure, std::function<void(std::size_t)> const& on_progress);

}  // namespace davit::sim
