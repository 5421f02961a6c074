// The control thread of one life of a simulated process: the virtual loop, seen through the clock of its host, with an end. While it is
// paused what comes for it waits; once it is killed nothing of it ever runs again.
// Owned by the cluster until the simulation ends, so that what still points to it may ask whether it is alive.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "ports/loop.hpp"
#include "sim/net/host_clock.hpp"
#include "sim/virtual_loop.hpp"

namespace davit::sim {

class ProcessLoop final : public ports::Loop {
 public:
  ProcessLoop(VirtualLoop& loop, HostClock const& clock) : loop_(loop), clock_(clock) {}
  ProcessLoop(ProcessLoop const&) = delete;
  ProcessLoop& operator=(ProcessLoop const&) = delete;

  Now now() const override { return clock_.now(); }
  void post(std::function<void()> function) override;
  std::unique_ptr<ports::Timer> make_timer() override;

  // Something from outside may run at once, without a post: nothing waits, and no code of any process is running.
  bool is_idle() const { return is_alive_ && pauses_ == 0 && queue_.empty(); }
  bool is_alive() const { return is_alive_; }
  bool is_paused() const { return pauses_ > 0; }

  void pause() { ++pauses_; }  // as often as it is resumed
  void resume();
  void kill();
  void rearm();  // the host's clock runs otherwise than before

 private:
  class ProcessTimer;

  void schedule();
  void run_queue();

  VirtualLoop& loop_;
  HostClock const& clock_;
  std::vector<ProcessTimer*> timers_;  // each knows its place
  std::deque<std::function<void()>> queue_;  // what waits here may own timers
  int pauses_ = 0;
  bool is_scheduled_ = false;
  bool is_alive_ = true;
};

}  // namespace davit::sim
