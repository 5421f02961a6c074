// What one thread of the ingress waits for: sockets that are ready (epoll, edge by edge), times that have come, and what other threads
// post. Owned by a Worker; all but post() and stop() on its thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "adapters/ingress/pipes.hpp"
#include "base/time.hpp"
#include "runtime/fd.hpp"

namespace davit::ingress {

// It may be told of an event that was on its way when it ended, so it goes only after all that came together with that (bury).
class Mortal {
 public:
  Mortal() = default;
  Mortal(Mortal const&) = delete;
  Mortal& operator=(Mortal const&) = delete;
  virtual ~Mortal() = default;
};

class Watched : public Mortal {
 public:
  virtual void on_ready(std::uint32_t events) = 0;
};

class IoLoop {
 public:
  using TimerKey = std::pair<Monotonic, std::uint64_t>;

  IoLoop();

  // False: the kernel has no room for it. What is watched must call forget() before it closes the socket: a process that is just being
  // forked has the socket too, and the kernel would tell of it on.
  bool watch(int socket, std::uint32_t events, Watched& who);
  void forget(int socket);
  void bury(std::unique_ptr<Mortal> over) { buried_.push_back(std::move(over)); }
  Monotonic now() const { return now_; }
  Pipes& pipes() { return pipes_; }

  void run();  // until stop()
  void post(std::function<void()> task);
  void stop();

 private:
  friend class Timer;

  int until_next() const;
  void run_tasks();
  void run_timers();
  void wake() const;

  runtime::Fd epoll_;
  runtime::Fd wake_;
  Pipes pipes_;
  Monotonic now_;
  std::map<TimerKey, std::function<void()>> timers_;
  std::uint64_t next_timer_ = 0;
  std::vector<std::unique_ptr<Mortal>> buried_;

  std::mutex mutex_;  // of what follows
  std::vector<std::function<void()>> posted_;
  bool is_stopped_ = false;
};

// Forgotten with its owner.
class Timer {
 public:
  explicit Timer(IoLoop& loop) : loop_(loop) {}
  Timer(Timer const&) = delete;
  Timer& operator=(Timer const&) = delete;
  ~Timer() { clear(); }

  // Replaces an earlier one. Where the time has come already, after the sockets that are ready now.
  void set(Monotonic at, std::function<void()> task);
  void clear();

 private:
  IoLoop& loop_;
  std::optional<IoLoop::TimerKey> key_;
};

}  // namespace davit::ingress
