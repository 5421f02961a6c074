// What follows the end of a container: the restart policy, as pure decisions.
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.hpp"
#include "model/spec.hpp"

namespace davit::agent {

// How one attempt ended.
struct Ending {
  bool clean = false;  // the process ended by itself with exit code 0
  Duration ran{};      // how long it was running; zero when it never ran
  Duration well{};     // how long of that it was ready without a break, at most
};

// The failures in a row that count after this ending: those before one that was ready for `window` are forgotten.
std::uint32_t failures_after(model::RestartPolicy const& policy, std::uint32_t failures_before, Ending const& ending);

// The wait before the next attempt, or nothing when the policy wants none. A first end of a container that
// ran is followed at once, because most are single; from then on the wait is `delay`, doubling up to `max_delay`.
std::optional<Duration> restart_after(model::RestartPolicy const& policy, std::uint32_t failures, Ending const& ending);

// From this many failures in a row on, the instance is shown as crash looping.
inline constexpr std::uint32_t kCrashLoopFailures = 3;

}  // namespace davit::agent
