// The control thread's own pulse (protocol.md §3, §6): a tick is due every 100 ms, and one that is more than 500 ms late says that
// this process was paused or is overloaded. Then it neither renews its lease nor trusts the silence it has heard.
#pragma once

#include "base/time.hpp"

namespace davit::cluster {

inline constexpr Duration kControlTick = 100ms;
inline constexpr Duration kTolerableLateness = 500ms;

constexpr bool is_tick_late(Monotonic last_tick, Monotonic now) { return now - last_tick > kControlTick + kTolerableLateness; }

}  // namespace davit::cluster
