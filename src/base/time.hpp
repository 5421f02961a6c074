// Time as the brain sees it. Deadlines are Monotonic (CLOCK_BOOTTIME, which goes on in suspend); Wall goes only into
// events and texts. Nothing in core/ reads a clock: every step is given a Now.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace davit {

using Duration = std::chrono::nanoseconds;
using namespace std::chrono_literals;

struct BootClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock, duration>;
  static constexpr bool is_steady = true;
};

using Monotonic = BootClock::time_point;
using Wall = std::chrono::sys_time<std::chrono::milliseconds>;

inline constexpr Monotonic kNever = Monotonic::max();

struct Now {
  Monotonic monotonic{};
  Wall wall{};
};

// "1m30s", "500ms", "1.5h", "0s"; units d h m s ms us ns, each at most once and falling. Bare numbers are refused.
Result<Duration> parse_duration(std::string_view text);
// The shortest text that parse_duration reads back alike: 90 s is "1m30s".
std::string format_duration(Duration duration);
// One unit, rounded down, for people: "42s", "3m", "5h", "12d".
std::string format_age(Duration duration);

// RFC 3339. Parsing takes any offset and any number of fraction digits (cut to milliseconds).
Result<Wall> parse_rfc3339(std::string_view text);
std::string format_rfc3339(Wall time);  // "2026-01-02T03:04:05.678Z"

}  // namespace davit
