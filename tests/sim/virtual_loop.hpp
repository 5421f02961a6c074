// A control thread whose time moves only when a test or the simulator says so (ports::Loop without threads or clocks).
// Deterministic: posts run in the order they were made, timers by (time, order of setting); posts go before due timers.
// Everything runs inside run_until_idle() and advance(), on the caller's thread. Outlives its timers.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "ports/loop.hpp"

namespace davit::sim {

class VirtualLoop final : public ports::Loop {
 public:
  VirtualLoop() = default;
  VirtualLoop(VirtualLoop const&) = delete;
  VirtualLoop& operator=(VirtualLoop const&) = delete;
  ~VirtualLoop() override;

  Now now() const override { return now_; }
  void post(std::function<void()> function) override { posts_.push_back(std::move(function)); }
  std::unique_ptr<ports::Timer> make_timer() override;

  // Runs the next post or due timer; false when nothing is left to do at this time.
  bool run_one();
  void run_until_idle();
  // Goes from timer to timer up to now + duration, and runs what each sets off.
  void advance(Duration duration);
  // The same, but false, and no further, when more than so many steps are to be done at one instant: something feeds itself.
  bool try_advance(Duration duration, std::uint64_t steps_at_once);
  // Up to `limit` of virtual time: true as soon as `condition` holds, false when nothing that is left to run made it so.
  bool run_until(std::function<bool()> const& condition, Duration limit);
  // kNever: no timer is set.
  Monotonic next_timer() const;

 private:
  class VirtualTimer;
  using TimerKey = std::pair<Monotonic, std::uint64_t>;
  using Timers = std::map<TimerKey, VirtualTimer*>;

  bool run_until_idle(std::uint64_t most_steps);
  void move_to(Monotonic time);

  Now now_{.monotonic = Monotonic{1000s}, .wall = Wall{std::chrono::milliseconds{1'750'000'000'000}}};
  std::deque<std::function<void()>> posts_;
  Timers timers_;
  std::uint64_t settings_ = 0;
};

}  // namespace davit::sim
