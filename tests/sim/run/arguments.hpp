// The command line of davit-sim, and the one that plays a run again.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "sim/run/run.hpp"

namespace davit::sim {

struct Arguments {
  std::string program = "davit-sim";  // by which a run is played again
  RunOptions options;
  std::uint64_t last_seed = 1;
  std::optional<Duration> cpu_limit;  // goes on with further seeds until so much is spent
  bool is_twice = false;              // each seed twice, and the hashes must be the same
  bool is_shrinking = false;
  std::vector<std::string> scenarios;  // files: these are played instead of seeds
  bool is_rewriting = false;           // and get the trace that they give
  bool wants_help = false;
};

inline constexpr std::string_view kUsage =
    "usage: davit-sim [--seed N | --seeds A-B] [--seconds S] [--masters M] [--agents A] [--services S]\n"
    "                 [--gap S] [--faults none|I,J,…] [--trace] [--twice] [--shrink] [--cpu-minutes M | --cpu-seconds S]\n"
    "       davit-sim --scenario FILE … [--rewrite]\n"
    "\n"
    "Plays a whole cluster of Davit on virtual time, with faults that follow from the seed, and checks its invariants\n"
    "(docs/adr/0012-simulator.md). Ends with 1, and the command that plays it again, when one is broken.\n"
    "With --scenario it plays that file (tests/sim/scenarios/README.md) and compares its trace, or writes it anew.\n";

Result<Arguments> parse_arguments(int count, char const* const* values);
std::string command_line(std::string_view program, RunOptions const& options);

}  // namespace davit::sim
