// What both drivers share: a queue of events in front of a machine, its one timer, and the order of things. All events that
// have come are stepped first, then a tick if one is due, and only then are the actions performed, in the order they were asked for.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include "base/time.hpp"
#include "ports/loop.hpp"

namespace davit::drivers {

template <class Machine, class Event, class Actions, class Tick>
class MachineInbox {
 public:
  MachineInbox(ports::Loop& loop, Machine& machine, std::function<void(Actions&)> perform)
      : loop_(loop),
        machine_(machine),
        perform_(std::move(perform)),
        timer_(loop.make_timer()) {}

  void post(Event event) {
    events_.push_back(std::move(event));
    if (std::exchange(is_queued_, true)) return;
    loop_.post([this, alive = std::weak_ptr(alive_)] {
      if (!alive.expired()) drain();
    });
  }

  // Nothing is stepped or performed any more.
  void stop() {
    timer_->cancel();
    events_.clear();
    is_stopped_ = true;
  }

 private:
  void drain() {
    if (is_stopped_) return;
    Actions actions;
    for (is_queued_ = false; !events_.empty(); events_.pop_front()) machine_.step(loop_.now(), events_.front(), actions);
    if (auto const now = loop_.now(); machine_.wake_at() <= now.monotonic) machine_.step(now, Tick{}, actions);
    perform_(actions);
    timer_->set(machine_.wake_at(), [this] { drain(); });
  }

  ports::Loop& loop_;
  Machine& machine_;
  std::function<void(Actions&)> perform_;
  std::deque<Event> events_;
  bool is_queued_ = false;
  bool is_stopped_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<ports::Timer> timer_;
};

}  // namespace davit::drivers
