// When a master is ready for shards (protocol.md §3): its view is fresh, and each worker that is `up` has reported to it, directly or by
// relay; workers that do not are not waited for beyond 30 s. Pure; the caller remembers the answer for the session.
#pragma once

#include "base/time.hpp"

namespace davit::cluster {

inline constexpr Duration kReadyWithin = 30s;

// Once ready, a session stays so: a master that was judged fit does not lose its shards to a slow read or a new worker.
constexpr bool is_ready(bool was_ready, bool is_fresh, bool have_all_reported, Monotonic session_start, Monotonic now) {
  return was_ready || (is_fresh && (have_all_reported || now >= session_start + kReadyWithin));
}

}  // namespace davit::cluster
