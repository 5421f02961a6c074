#include "runtime/gate.hpp"

#include <cstdint>
#include <exception>
#include <map>
#include <utility>

#include <fmt/ranges.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include "base/check.hpp"
#include "runtime/log.hpp"
#include "runtime/wakeup.hpp"

namespace davit::runtime {
namespace asio = boost::asio;

struct Gate::Impl {
  struct Entry {
    explicit Entry(std::string_view its_name) : name(its_name) {}
    std::string name;
    asio::cancellation_signal cancel;
  };

  explicit Impl(AsioLoop& owner) : loop(owner) {}

  void on_ended(std::uint64_t id, std::exception_ptr const& thrown) {
    auto const entry = running.extract(id);
    if (thrown) report(entry.mapped()->name, thrown);
    if (closing && running.empty()) run_closed();
  }

  void report(std::string const& name, std::exception_ptr const& thrown) const {
    try {
      std::rethrow_exception(thrown);
    } catch (boost::system::system_error const& error) {
      bool const cancelled = error.code() == asio::error::operation_aborted;
      logger("runtime").log(cancelled ? spdlog::level::debug : spdlog::level::err, "{} ended: {}", name, error.what());
    } catch (std::exception const& error) {
      logger("runtime").error("{} ended: {}", name, error.what());
    } catch (...) {
      logger("runtime").error("{} ended by an unknown exception", name);
    }
  }

  void run_closed() {
    for (auto& closed : std::exchange(on_closed, {})) loop.post(std::move(closed));
  }

  AsioLoop& loop;
  std::map<std::uint64_t, std::shared_ptr<Entry>> running;
  std::vector<std::function<void()>> on_closed;
  std::uint64_t next_id = 0;
  bool closing = false;
};

Gate::Gate(AsioLoop& loop) : impl_(std::make_shared<Impl>(loop)) {}

Gate::~Gate() {
  CHECK(impl_->running.empty(), "a gate was destroyed before what it let in had ended ({}): close() it and wait",
        fmt::join(pending(), ", "));
}

void Gate::close(std::function<void()> closed) {
  impl_->closing = true;
  if (closed) impl_->on_closed.push_back(std::move(closed));
  auto const entries = impl_->running;  // a copy: cancelling may end one, which takes it out of the map
  for (auto const& [id, entry] : entries) entry->cancel.emit(asio::cancellation_type::terminal);
  if (impl_->running.empty()) impl_->run_closed();
}

asio::awaitable<void> Gate::async_closed() {
  auto const ended = std::make_shared<Wakeup>(impl_->loop);
  close([ended] { ended->notify(); });
  co_await ended->async_wait();
}

bool Gate::is_closed() const noexcept { return impl_->closing; }
std::size_t Gate::count() const noexcept { return impl_->running.size(); }

std::vector<std::string> Gate::pending() const {
  std::vector<std::string> names;
  for (auto const& [id, entry] : impl_->running) names.push_back(entry->name);
  return names;
}

void spawn(Gate& gate, std::string_view name, asio::awaitable<void> coroutine) {
  auto const impl = gate.impl_;
  if (impl->closing) {
    logger("runtime").debug("{} not started: its owner is stopping", name);
    return;
  }
  std::uint64_t const id = impl->next_id++;
  auto const entry = std::make_shared<Gate::Impl::Entry>(name);
  impl->running.emplace(id, entry);
  // The handler holds the entry, because the signal must outlive the coroutine that listens to it.
  auto ended = [impl, entry, id](std::exception_ptr thrown) { impl->on_ended(id, thrown); };
  auto& context = impl->loop.context();
  asio::post(context, [&context, impl, entry, coroutine = std::move(coroutine), ended = std::move(ended)]() mutable {
    if (impl->closing) return ended(nullptr);  // closed meanwhile: there was nobody yet to hear the cancellation
    asio::co_spawn(context, std::move(coroutine), asio::bind_cancellation_slot(entry->cancel.slot(), std::move(ended)));
  });
}

}  // namespace davit::runtime
