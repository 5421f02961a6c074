#include "adapters/ingress/io_loop.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>

#include "base/check.hpp"

namespace davit::ingress {
namespace {

constexpr int kEventsAtOnce = 256;
constexpr Duration kLongestWait = std::chrono::minutes(1);

Monotonic boot_now() {
  timespec time{};
  CHECK(::clock_gettime(CLOCK_BOOTTIME, &time) == 0);
  return Monotonic(std::chrono::seconds(time.tv_sec) + Duration(time.tv_nsec));
}

}  // namespace

IoLoop::IoLoop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), now_(boot_now()) {
  CHECK(epoll_ && wake_, "epoll: {}", std::strerror(errno));
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  CHECK(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) == 0, "epoll: {}", std::strerror(errno));
}

bool IoLoop::watch(int socket, std::uint32_t events, Watched& who) {
  epoll_event event{.events = events, .data = {.ptr = &who}};
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket, &event) == 0;
}

void IoLoop::forget(int socket) { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, socket, nullptr); }

void IoLoop::run() {
  std::array<epoll_event, kEventsAtOnce> events{};
  for (;;) {
    int const count = ::epoll_wait(epoll_.get(), events.data(), kEventsAtOnce, until_next());
    now_ = boot_now();
    for (int i = 0; i < count; ++i) {
      auto const& event = events[static_cast<std::size_t>(i)];
      if (auto* const who = static_cast<Watched*>(event.data.ptr)) who->on_ready(event.events);
    }
    run_timers();
    run_tasks();
    buried_.clear();
    std::lock_guard const lock(mutex_);
    if (is_stopped_) return;
  }
}

int IoLoop::until_next() const {
  auto const wait = timers_.empty() ? kLongestWait : std::clamp(timers_.begin()->first.first - boot_now(), Duration(0), kLongestWait);
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(wait).count());
}

void IoLoop::run_timers() {
  TimerKey const last{now_, next_timer_};  // what is set meanwhile has its turn after the sockets
  while (!timers_.empty() && timers_.begin()->first <= last) {
    auto const due = timers_.extract(timers_.begin());
    due.mapped()();
  }
}

void IoLoop::run_tasks() {
  std::uint64_t count = 0;
  while (::read(wake_.get(), &count, sizeof(count)) > 0) {
  }
  std::vector<std::function<void()>> tasks;
  {
    std::lock_guard const lock(mutex_);
    tasks.swap(posted_);
  }
  for (auto& task : tasks) task();
}

void IoLoop::post(std::function<void()> task) {
  {
    std::lock_guard const lock(mutex_);
    posted_.push_back(std::move(task));
  }
  wake();
}

void IoLoop::stop() {
  {
    std::lock_guard const lock(mutex_);
    is_stopped_ = true;
  }
  wake();
}

void IoLoop::wake() const {
  std::uint64_t const one = 1;
  while (::write(wake_.get(), &one, sizeof(one)) < 0 && errno == EINTR) {
  }
}

void Timer::set(Monotonic at, std::function<void()> task) {
  clear();
  key_ = IoLoop::TimerKey{at, ++loop_.next_timer_};
  loop_.timers_.emplace(*key_, std::move(task));
}

void Timer::clear() {
  if (key_) loop_.timers_.erase(*key_);
  key_.reset();
}

}  // namespace davit::ingress
