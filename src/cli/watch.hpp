// Waiting, in front of the user, until a service is what was asked for.
#pragma once

#include <string>

#include "base/result.hpp"
#include "cli/progress.hpp"
#include "cli/session.hpp"

namespace davit::cli {

// --detach, --quiet and --timeout.
std::vector<Option> watch_options();

struct WatchOptions {
  bool detach = false;
  bool quiet = false;
  Duration timeout = 5min;
};
Result<WatchOptions> watch_options_of(Invocation const& invocation);

// Gives the exit code: 0, 3 when the service fails or the time is over, 130 after Ctrl-C, which ends the watching alone.
// `started` is when the command began: the line at the end says how long it took until all were ready.
Result<int> watch(Session& session, Goal const& goal, WatchOptions const& options, Monotonic started);
// The same until the service is gone.
Result<int> watch_removal(Session& session, codec::Value const& removed, WatchOptions const& options, Monotonic started);

// For the commands that change one service: prints the answer's warnings, then the name alone with --detach, or watches;
// with --output json the service as it is in the end.
Result<int> finish_change(Session& session, Invocation const& invocation, Answer const& answer, Monotonic started,
                          bool is_rollback = false);

// What was asked for is what the write made, even if the service is something else again by the time of the answer.
Goal goal_of(Answer const& answer, bool is_rollback = false);

}  // namespace davit::cli
