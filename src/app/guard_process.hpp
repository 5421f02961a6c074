// `davit guard`: ends the containers of slots that must not be doubled when their lease has run out, whatever has become of the agent
// and of the engine (protocol.md §7). Started detached by the worker, or by a unit of its own.
#pragma once

#include "app/guard_folder.hpp"
#include "app/settings.hpp"
#include "base/result.hpp"
#include "cli/command.hpp"
#include "runtime/asio_loop.hpp"

namespace davit::app {

void add_guard_command(cli::Registry& registry);

// Looks each second whether the node's guard lives, and starts one if not. Owned by the worker's part; control thread.
class GuardKeeper {
 public:
  GuardKeeper(runtime::AsioLoop& loop, GuardFolder folder, std::string log_level);

  // Whether one runs, or could be started just now; an error says why not.
  Status start();

 private:
  void look();
  Status spawn() const;

  runtime::AsioLoop& loop_;
  GuardFolder folder_;
  std::string log_level_;
  ProcessLock agent_lock_;
  std::unique_ptr<ports::Timer> timer_ = loop_.make_timer();
};

}  // namespace davit::app
