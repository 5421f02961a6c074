#include "runtime/deadline.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "runtime/boot_timer.hpp"

namespace davit::runtime {
namespace asio = boost::asio;

struct CancelScope::Impl : std::enable_shared_from_this<CancelScope::Impl> {
  asio::cancellation_signal signal;
  std::optional<asio::any_io_executor> executor;  // while it runs
  bool cancelled = false;

  // Outside of the loop's handlers co_spawn would put the signal off, and then use it even if the coroutine has ended
  // meanwhile. So it is put off here, with a look at whether there is still something to end.
  void emit(asio::cancellation_type type) {
    if (!executor) return;
    asio::dispatch(*executor, [self = shared_from_this(), type] {
      if (self->executor) self->signal.emit(type);
    });
  }

  // What listens on the signal after the end would be the remains of the last operation.
  void end() {
    executor.reset();
    signal.slot().clear();
  }
};

CancelScope::CancelScope() : impl_(std::make_shared<Impl>()) {}
CancelScope::~CancelScope() = default;

void CancelScope::cancel() {
  auto const impl = impl_;
  impl->cancelled = true;
  impl->emit(asio::cancellation_type::terminal);
}

bool CancelScope::is_cancelled() const noexcept { return impl_->cancelled; }

asio::awaitable<bool> CancelScope::async_run(asio::awaitable<void> operation) {
  auto const impl = impl_;
  if (impl->cancelled) co_return false;
  auto const executor = co_await asio::this_coro::executor;
  auto outer = (co_await asio::this_coro::cancellation_state).slot();
  if (outer.is_connected()) outer.assign([impl](asio::cancellation_type type) { impl->emit(type); });
  impl->executor = executor;
  bool by_itself = true;
  try {
    co_await asio::co_spawn(executor, std::move(operation), asio::bind_cancellation_slot(impl->signal.slot(), asio::use_awaitable));
  } catch (boost::system::system_error const& error) {
    by_itself = !(impl->cancelled && error.code() == asio::error::operation_aborted);
    if (by_itself) {
      impl->end();
      outer.clear();
      throw;
    }
  }
  impl->end();
  outer.clear();
  co_return by_itself;
}

namespace detail {
namespace {

asio::awaitable<void> async_sleep(AsioLoop* loop, Monotonic at) {
  BootTimer timer(loop->context(), at);
  co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

}  // namespace

asio::awaitable<void> async_run_until(AsioLoop* loop, Monotonic deadline, asio::awaitable<void> operation) {
  CancelScope scope;
  auto const timer = loop->make_timer();
  timer->set(deadline, [&scope] { scope.cancel(); });
  co_await scope.async_run(std::move(operation));
}

}  // namespace detail

asio::awaitable<void> async_sleep_until(AsioLoop& loop, Monotonic at) { return detail::async_sleep(&loop, at); }

}  // namespace davit::runtime
