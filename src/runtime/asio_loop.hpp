// The process's control thread: ports::Loop on one Asio io_context.
// Made first and destroyed last by main (or a test); run() makes the calling thread the control thread. Only post() and
// stop() may be called from other threads. Everything that awaits or does I/O in this process hangs on context().
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>

#include "base/time.hpp"
#include "ports/loop.hpp"

namespace boost::asio {
class io_context;
}

namespace davit::runtime {

Monotonic read_boot_clock();

class AsioLoop final : public ports::Loop {
 public:
  AsioLoop();
  ~AsioLoop() override;
  AsioLoop(AsioLoop const&) = delete;
  AsioLoop& operator=(AsioLoop const&) = delete;

  Now now() const override;
  void post(std::function<void()> function) override;
  std::unique_ptr<ports::Timer> make_timer() override;

  void run();   // until stop(); also while there is nothing to do
  void stop();  // run() returns after the handler that runs now, or at once when it has not been called yet
  // Runs the loop until the condition holds (true) or the limit has passed (false). It is looked at after each handler, and
  // every few milliseconds for what happens outside. For tests, one-shot clients, and what is to end after run().
  bool run_until(std::function<bool()> const& condition, Duration limit);

  // Runs `caught` on the control thread for each of these signals, in place of their default action.
  void on_signals(std::initializer_list<int> signals, std::function<void(int)> caught);

  boost::asio::io_context& context() noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace davit::runtime
