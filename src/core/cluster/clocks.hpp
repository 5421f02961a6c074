// Whether the wall clocks of two nodes agree. Nothing in Davit is decided by them, but people read times of many nodes side by side, and
// certificates and log drivers go by them; so a difference is told. Pure.
#pragma once

#include "base/time.hpp"

namespace davit::cluster {

inline constexpr Duration kClocksAgree = 5s;  // up to this; NTP keeps them within milliseconds

// By how much the clock of a beat's sender is certainly ahead of this one's; negative: behind; zero: they may show the same. The beat left
// after the stamp that it echoes was made here and before it came, so a clock that is right shows a time between those two.
constexpr Duration clock_difference(Wall theirs, Now now, Monotonic echoed_stamp) {
  Duration const ahead = theirs - now.wall;
  Duration const since_stamp = now.monotonic - echoed_stamp;
  if (ahead > Duration::zero()) return ahead;
  return ahead < -since_stamp ? ahead + since_stamp : Duration::zero();
}

constexpr bool do_clocks_agree(Duration difference) { return difference <= kClocksAgree && difference >= -kClocksAgree; }

}  // namespace davit::cluster
