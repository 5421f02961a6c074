#include "sim/net/process_loop.hpp"

#include <utility>

namespace davit::sim {

class ProcessLoop::ProcessTimer final : public ports::Timer {
 public:
  explicit ProcessTimer(ProcessLoop& process) : process_(process), timer_(process.loop_.make_timer()), place_(process.timers_.size()) {
    process_.timers_.push_back(this);
  }
  ProcessTimer(ProcessTimer const&) = delete;
  ProcessTimer& operator=(ProcessTimer const&) = delete;
  ~ProcessTimer() override {
    auto* last = process_.timers_.back();
    process_.timers_[place_] = last;
    last->place_ = place_;
    process_.timers_.pop_back();
  }

  void set(Monotonic at, std::function<void()> fire) override {
    at_ = at;
    fire_ = std::move(fire);
    arm();
  }
  void cancel() override {
    timer_->cancel();
    fire_ = nullptr;
  }
  void arm() {
    if (!fire_ || !process_.is_alive_) return;
    timer_->set(process_.clock_.true_time(at_), [this] {
      // Of a paused process it stays due, and is armed again when that goes on.
      if (process_.is_alive_ && process_.pauses_ == 0) std::exchange(fire_, nullptr)();
    });
  }

 private:
  ProcessLoop& process_;
  std::unique_ptr<ports::Timer> timer_;
  std::size_t place_;
  Monotonic at_ = kNever;
  std::function<void()> fire_;
};

std::unique_ptr<ports::Timer> ProcessLoop::make_timer() { return std::make_unique<ProcessTimer>(*this); }

void ProcessLoop::post(std::function<void()> function) {
  if (!is_alive_) return;
  queue_.push_back(std::move(function));
  schedule();
}

void ProcessLoop::schedule() {
  if (pauses_ > 0 || queue_.empty() || std::exchange(is_scheduled_, true)) return;
  loop_.post([this] { run_queue(); });
}

void ProcessLoop::run_queue() {
  is_scheduled_ = false;
  for (auto left = queue_.size(); left > 0 && pauses_ == 0 && !queue_.empty(); --left) {
    auto const function = std::move(queue_.front());
    queue_.pop_front();
    function();
  }
  schedule();
}

void ProcessLoop::resume() {
  if (--pauses_ > 0 || !is_alive_) return;
  schedule();
  rearm();
}

void ProcessLoop::kill() {
  is_alive_ = false;
  queue_.clear();
}

void ProcessLoop::rearm() {
  for (auto* timer : timers_) timer->arm();
}

}  // namespace davit::sim
