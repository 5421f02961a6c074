// How many of the deliberate faults the rules find, and how soon: each is played from the first seed on until something is found or its
// time is used up.
#pragma once

#include <cstdint>
#include <optional>

#include "sim/run/run.hpp"

namespace davit::sim {

struct ScoreOptions {
  RunOptions run;
  Duration cpu_limit = 60s;                // for each fault …
  std::optional<std::uint64_t> last_seed;  // … or up to this seed, however long that takes
  unsigned at_least = 95;    // of a hundred
};

// Prints a table. False: too few are found.
bool score(ScoreOptions const& options);

}  // namespace davit::sim
