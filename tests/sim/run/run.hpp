// One run of the simulator: a cluster from its start through a phase with faults to a phase without, in which it has to come to rest as its
// users want it. Everything follows from the options, and from the seed above all.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/rules/findings.hpp"
#include "sim/run/fault.hpp"

namespace davit::sim {

struct RunOptions {
  std::uint64_t seed = 1;
  Duration safety_phase = 120s;
  Duration liveness_phase = 300s;  // at most; it ends when all is well
  Cluster::Size size;
  std::size_t services = 20;
  Duration mean_gap = 2s;  // between faults
  std::optional<std::set<std::size_t>> only_faults;  // by index; none: all of the seed's
  bool is_traced = false;
};

struct RunResult {
  std::optional<Finding> finding;
  std::uint64_t hash = 0;
  Duration simulated{};
  std::vector<std::size_t> faults;  // those of the schedule that were played
  std::map<FaultKind, std::uint64_t> injected;
  std::uint64_t checks = 0;
  std::uint64_t answers = 0;
};

RunResult run(RunOptions const& options);

}  // namespace davit::sim
