// From callbacks to coroutines: a coroutine waits on a Wakeup until somebody notifies it; async_call awaits a port call.
// Control thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/awaitable.hpp>

#include "base/time.hpp"
#include "runtime/asio_loop.hpp"

namespace davit::runtime {

// A flag with one waiter: a notification before the wait is kept, several are one.
class Wakeup {
 public:
  explicit Wakeup(AsioLoop& loop);
  ~Wakeup();
  Wakeup(Wakeup const&) = delete;
  Wakeup& operator=(Wakeup const&) = delete;

  void notify();
  boost::asio::awaitable<void> async_wait();
  boost::asio::awaitable<bool> async_wait_until(Monotonic deadline);  // false: not notified by then

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

namespace detail {
template <class T>
struct Called {
  explicit Called(AsioLoop& loop) : ready(loop) {}
  Wakeup ready;
  std::optional<T> value;
};

template <class T>
boost::asio::awaitable<T> async_called(std::shared_ptr<Called<T>> called, std::function<void(std::function<void(T)>)> start) {
  start([called](T value) {
    called->value.emplace(std::move(value));
    called->ready.notify();
  });
  while (!called->value) co_await called->ready.async_wait();
  co_return std::move(*called->value);
}
}  // namespace detail

// Awaits what `start` gives to its callback: co_await async_call<Result<Committed>>(loop, [&](auto done) { store.commit(…, done); }).
// The callback may come after the waiting coroutine was cancelled; it is then ignored.
template <class T>
boost::asio::awaitable<T> async_call(AsioLoop& loop, std::function<void(std::function<void(T)>)> start) {
  return detail::async_called<T>(std::make_shared<detail::Called<T>>(loop), std::move(start));
}

}  // namespace davit::runtime
