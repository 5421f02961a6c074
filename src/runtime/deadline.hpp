// Ending what another coroutine awaits: by hand (CancelScope) or at a moment (async_with_deadline). Control thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/awaitable.hpp>

#include "base/result.hpp"
#include "base/time.hpp"
#include "runtime/asio_loop.hpp"

namespace davit::runtime {

// Runs one coroutine inside the current one such that cancel() ends only the inner one. The cancellation of the outer one reaches it too.
class CancelScope {
 public:
  CancelScope();
  ~CancelScope();
  CancelScope(CancelScope const&) = delete;
  CancelScope& operator=(CancelScope const&) = delete;

  void cancel();  // also before async_run and after its end; more than once does no harm
  bool is_cancelled() const noexcept;
  // True: it ended by itself. False: it ended by the operation_aborted that cancel() caused. Other exceptions go on.
  boost::asio::awaitable<bool> async_run(boost::asio::awaitable<void> operation);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

boost::asio::awaitable<void> async_sleep_until(AsioLoop& loop, Monotonic at);

// The coroutines behind the functions here take pointers: a reference parameter in a coroutine hides that it is not copied.
namespace detail {
boost::asio::awaitable<void> async_run_until(AsioLoop* loop, Monotonic deadline, boost::asio::awaitable<void> operation);

template <class T>
boost::asio::awaitable<void> async_store(std::optional<Result<T>>* result, boost::asio::awaitable<Result<T>> operation) {
  result->emplace(co_await std::move(operation));
}

template <class T>
boost::asio::awaitable<Result<T>> async_with_deadline(AsioLoop* loop, Monotonic deadline, std::string what,
                                                      boost::asio::awaitable<Result<T>> operation) {
  std::optional<Result<T>> result;
  co_await async_run_until(loop, deadline, async_store(&result, std::move(operation)));
  if (result) co_return std::move(*result);
  co_return fail(Code::Deadline, "no answer in time: " + what);
}
}  // namespace detail

// The operation's result. When the deadline comes first, cancels the operation and waits for its end: it may still have a result
// of its own (it knows best what was done); if not, this fails with Code::Deadline. `what` completes "no answer in time: <what>".
template <class T>
boost::asio::awaitable<Result<T>> async_with_deadline(AsioLoop& loop, Monotonic deadline, std::string what,
                                                      boost::asio::awaitable<Result<T>> operation) {
  return detail::async_with_deadline<T>(&loop, deadline, std::move(what), std::move(operation));
}

}  // namespace davit::runtime
