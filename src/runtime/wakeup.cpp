#include "runtime/wakeup.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "runtime/boot_timer.hpp"

namespace davit::runtime {
namespace asio = boost::asio;

struct Wakeup::Impl {
  explicit Impl(AsioLoop& loop) : timer(loop.context()) {}

  BootTimer timer;
  bool notified = false;
};

Wakeup::Wakeup(AsioLoop& loop) : impl_(std::make_shared<Impl>(loop)) {}
Wakeup::~Wakeup() = default;

void Wakeup::notify() {
  impl_->notified = true;
  impl_->timer.cancel();
}

asio::awaitable<void> Wakeup::async_wait() {
  while (!co_await async_wait_until(kNever)) {
  }
}

asio::awaitable<bool> Wakeup::async_wait_until(Monotonic deadline) {
  auto const impl = impl_;
  if (!impl->notified) {
    impl->timer.expires_at(deadline);
    co_await impl->timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  co_return std::exchange(impl->notified, false);
}

}  // namespace davit::runtime
