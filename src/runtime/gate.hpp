// The only way to start background work. An owner holds a Gate (as its last member, so that it dies first), spawns named
// coroutines through it, and in its stop closes the gate and waits until all of them have ended. Control thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "runtime/asio_loop.hpp"

namespace davit::runtime {

class Gate {
 public:
  explicit Gate(AsioLoop& loop);
  ~Gate();  // CHECKs that nothing runs any more
  Gate(Gate const&) = delete;
  Gate& operator=(Gate const&) = delete;

  // Cancels everything that runs (what it awaits ends with operation_aborted, thrown at the co_await) and lets nothing
  // in any more. `closed` runs once, on the control thread and never inside close(), when the last one has ended.
  void close(std::function<void()> closed = {});
  boost::asio::awaitable<void> async_closed();  // close() and wait; not to be awaited by what runs inside the gate

  bool is_closed() const noexcept;
  std::size_t count() const noexcept;
  std::vector<std::string> pending() const;  // the names of what has not ended

 private:
  struct Impl;
  friend void spawn(Gate&, std::string_view, boost::asio::awaitable<void>);
  std::shared_ptr<Impl> impl_;
};

// Starts the coroutine on the control thread, not inside this call. What it throws is logged under its name and goes no
// further. A closed gate drops it unstarted.
void spawn(Gate& gate, std::string_view name, boost::asio::awaitable<void> coroutine);

}  // namespace davit::runtime
