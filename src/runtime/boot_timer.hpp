// An Asio timer on CLOCK_BOOTTIME. Only for .cpp files of runtime/: everyone else takes AsioLoop's timers.
#pragma once

#include <algorithm>

#include <boost/asio/basic_waitable_timer.hpp>

#include "runtime/asio_loop.hpp"

namespace davit::runtime {

struct ReadableBootClock : BootClock {
  using time_point = Monotonic;
  static time_point now() { return read_boot_clock(); }
};

// Asio sleeps by CLOCK_MONOTONIC, which stands still in suspend. Looking at the clock once a second makes what fell due
// in a suspend at most a second late.
struct BootWaitTraits {
  static Duration to_wait_duration(Duration const& wait) { return std::min<Duration>(wait, 1s); }
  static Duration to_wait_duration(Monotonic const& at) { return to_wait_duration(at - read_boot_clock()); }
};

using BootTimer = boost::asio::basic_waitable_timer<ReadableBootClock, BootWaitTraits>;

}  // namespace davit::runtime
