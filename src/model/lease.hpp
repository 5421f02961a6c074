// The right to run an instance that must not be doubled, as a master grants it and as the guard reads it (protocol.md §7).
#pragma once

#include <cstdint>
#include <string>

#include "base/time.hpp"

namespace davit::model {

// For the instances that were assigned under this incarnation of the node: until `agent_clock`, which is the agent's own clock at
// the beat that is answered, plus their service's stop_after.
struct Grant {
  Monotonic agent_clock{};
  std::uint64_t incarnation = 0;
  friend bool operator==(Grant const&, Grant const&) = default;
};

inline constexpr Monotonic kNeverAgain{};  // as the end of a lease: what has ended is to be kept so

// A container that must not run beyond `end`: a line of the file that an agent keeps for the guard beside it. `end` is a time of the
// boot that is named: clocks of two boots cannot be compared.
struct ContainerLease {
  std::string boot;
  std::string container;
  Monotonic end{};
  friend bool operator==(ContainerLease const&, ContainerLease const&) = default;
};

}  // namespace davit::model
