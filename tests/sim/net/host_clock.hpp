// The clocks of one simulated machine: a boot clock that runs at its own rate from its own beginning, and a wall clock that may jump.
// Owned by its host; the loop's time is the true time, which no process sees.
#pragma once

#include <cstdint>

#include "base/time.hpp"
#include "sim/virtual_loop.hpp"

namespace davit::sim {

class HostClock {
 public:
  HostClock(VirtualLoop const& loop, Duration up_for) : loop_(loop), true_base_(loop.now().monotonic), own_base_(Monotonic{} + up_for) {}

  Now now() const {
    auto const true_now = loop_.now();
    return {.monotonic = own_time(true_now.monotonic), .wall = true_now.wall + wall_offset_};
  }
  // The first true time at which this clock shows `own`, or the present one where it does already.
  Monotonic true_time(Monotonic own) const;

  // Timers that were set by the old rate have to be set again: ProcessLoop::rearm().
  void set_rate(std::int64_t parts_per_million);
  void reboot();  // its boot clock begins anew
  void jump_wall(std::chrono::milliseconds off_by) { wall_offset_ = off_by; }  // of true time

 private:
  Monotonic own_time(Monotonic true_time) const;

  VirtualLoop const& loop_;
  Monotonic true_base_;
  Monotonic own_base_;
  std::int64_t rate_ = 0;  // too fast by this many parts per million
  std::chrono::milliseconds wall_offset_{0};
};

}  // namespace davit::sim
