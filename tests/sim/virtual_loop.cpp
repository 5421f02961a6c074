#include "sim/virtual_loop.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace davit::sim {
namespace {

// More steps than this at one instant is a program that feeds itself, not work.
constexpr std::uint64_t kMaxStepsAtOnce = 50'000'000;

}  // namespace

class VirtualLoop::VirtualTimer final : public ports::Timer {
 public:
  explicit VirtualTimer(VirtualLoop& loop) : loop_(loop) {}
  VirtualTimer(VirtualTimer const&) = delete;
  VirtualTimer& operator=(VirtualTimer const&) = delete;
  ~VirtualTimer() override { cancel(); }

  void set(Monotonic at, std::function<void()> fire) override {
    if (at == kNever) return cancel();
    TimerKey const key{at, ++loop_.settings_};
    auto& timers = loop_.timers_;
    if (place_ == timers.end()) {
      place_ = timers.emplace(key, this).first;
    } else {
      auto node = timers.extract(place_);
      node.key() = key;
      place_ = timers.insert(std::move(node)).position;
    }
    fire_ = std::move(fire);
  }

  void cancel() override {
    if (place_ != loop_.timers_.end()) loop_.timers_.erase(std::exchange(place_, loop_.timers_.end()));
    fire_ = nullptr;
  }

  // The function may set, cancel or destroy this timer.
  void fire() {
    loop_.timers_.erase(std::exchange(place_, loop_.timers_.end()));
    std::exchange(fire_, nullptr)();
  }

 private:
  VirtualLoop& loop_;
  Timers::iterator place_ = loop_.timers_.end();
  std::function<void()> fire_;
};

VirtualLoop::~VirtualLoop() {
  // What is still posted may own timers of this loop.
  posts_.clear();
  CHECK(timers_.empty(), "{} timers outlive their loop", timers_.size());
}

std::unique_ptr<ports::Timer> VirtualLoop::make_timer() { return std::make_unique<VirtualTimer>(*this); }

bool VirtualLoop::run_one() {
  if (!posts_.empty()) {
    auto function = std::move(posts_.front());
    posts_.pop_front();
    function();
    return true;
  }
  if (next_timer() > now_.monotonic) return false;
  timers_.begin()->second->fire();
  return true;
}

bool VirtualLoop::run_until_idle(std::uint64_t most_steps) {
  for (std::uint64_t steps = 0; run_one(); ++steps) {
    if (steps >= most_steps) return false;
  }
  return true;
}

void VirtualLoop::run_until_idle() { CHECK(run_until_idle(kMaxStepsAtOnce), "the loop never becomes idle"); }

void VirtualLoop::advance(Duration duration) { CHECK(try_advance(duration, kMaxStepsAtOnce), "the loop never becomes idle"); }

bool VirtualLoop::try_advance(Duration duration, std::uint64_t steps_at_once) {
  Monotonic const end = now_.monotonic + duration;
  while (run_until_idle(steps_at_once)) {
    if (next_timer() > end) {
      move_to(end);
      return true;
    }
    move_to(next_timer());
  }
  return false;
}

bool VirtualLoop::run_until(std::function<bool()> const& condition, Duration limit) {
  Monotonic const end = now_.monotonic + limit;
  while (!condition()) {
    if (run_one()) continue;
    if (next_timer() > end) return false;
    move_to(next_timer());
  }
  return true;
}

Monotonic VirtualLoop::next_timer() const { return timers_.empty() ? kNever : timers_.begin()->first.first; }

void VirtualLoop::move_to(Monotonic time) {
  if (time <= now_.monotonic) return;
  // Wall time is derived, so that many small steps lose nothing to rounding.
  auto const milliseconds = [](Monotonic t) { return std::chrono::floor<std::chrono::milliseconds>(t.time_since_epoch()); };
  now_.wall += milliseconds(time) - milliseconds(now_.monotonic);
  now_.monotonic = time;
}

}  // namespace davit::sim
