#include "runtime/asio_loop.hpp"

#include <ctime>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

#include "base/check.hpp"
#include "runtime/boot_timer.hpp"

namespace davit::runtime {
namespace asio = boost::asio;

Monotonic read_boot_clock() {
  timespec time{};
  CHECK(::clock_gettime(CLOCK_BOOTTIME, &time) == 0);
  return Monotonic{std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec}};
}

namespace {

constexpr Duration kConditionInterval = 5ms;

// Each set() has a number of its own: a wait that completed before it was cancelled must not fire for a later setting.
class LoopTimer final : public ports::Timer {
 public:
  explicit LoopTimer(asio::io_context& context) : state_(std::make_shared<State>(context)) {}
  ~LoopTimer() override { cancel(); }
  LoopTimer(LoopTimer const&) = delete;
  LoopTimer& operator=(LoopTimer const&) = delete;

  void set(Monotonic at, std::function<void()> fire) override {
    cancel();
    if (at == kNever) return;
    state_->fire = std::move(fire);
    state_->timer.expires_at(at);
    state_->timer.async_wait([state = state_, setting = state_->setting](boost::system::error_code error) {
      if (error || state->setting != setting) return;
      if (auto fire = std::exchange(state->fire, nullptr)) fire();
    });
  }
  void cancel() override {
    ++state_->setting;
    state_->fire = nullptr;
    state_->timer.cancel();
  }

 private:
  struct State {
    explicit State(asio::io_context& context) : timer(context) {}
    BootTimer timer;
    std::function<void()> fire;
    std::uint64_t setting = 0;
  };
  std::shared_ptr<State> state_;
};

}  // namespace

struct AsioLoop::Impl {
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  std::atomic<bool> stop_wanted = false;
  asio::signal_set signals{context};
  std::function<void(int)> caught;

  void wait_for_signal() {
    signals.async_wait([this](boost::system::error_code error, int signal) {
      if (error) return;
      wait_for_signal();
      caught(signal);
    });
  }
};

AsioLoop::AsioLoop() : impl_(std::make_unique<Impl>()) {}
AsioLoop::~AsioLoop() = default;

Now AsioLoop::now() const { return {read_boot_clock(), std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now())}; }

void AsioLoop::post(std::function<void()> function) { asio::post(impl_->context, std::move(function)); }

std::unique_ptr<ports::Timer> AsioLoop::make_timer() { return std::make_unique<LoopTimer>(impl_->context); }

// The flag is looked at after restart() and set before io_context::stop(), so that no stop() is lost in between.
void AsioLoop::run() {
  impl_->context.restart();
  if (!impl_->stop_wanted) impl_->context.run();
  impl_->stop_wanted = false;
}

void AsioLoop::stop() {
  impl_->stop_wanted = true;
  impl_->context.stop();
}

bool AsioLoop::run_until(std::function<bool()> const& condition, Duration limit) {
  Monotonic const deadline = read_boot_clock() + limit;
  impl_->context.restart();
  while (!condition()) {
    auto const left = deadline - read_boot_clock();
    if (left <= Duration::zero() || impl_->context.stopped()) return false;
    impl_->context.run_one_for(std::min<Duration>(left, kConditionInterval));
  }
  return true;
}

void AsioLoop::on_signals(std::initializer_list<int> signals, std::function<void(int)> caught) {
  bool const waiting = impl_->caught != nullptr;
  impl_->caught = std::move(caught);
  for (int const signal : signals) impl_->signals.add(signal);
  if (!waiting) impl_->wait_for_signal();
}

asio::io_context& AsioLoop::context() noexcept { return impl_->context; }

}  // namespace davit::runtime
