// The control thread, as drivers and adapters see it: now, later, and from other threads.
// Implemented by runtime::AsioLoop and by the simulator's virtual loop. Outlives everything that holds a reference to it.
#pragma once

#include <functional>
#include <memory>

#include "base/time.hpp"

namespace davit::ports {

// Runs a function once at a time; destroying or resetting it cancels. Control thread only.
class Timer {
 public:
  virtual ~Timer() = default;
  virtual void set(Monotonic at, std::function<void()> fire) = 0;  // replaces an earlier setting; kNever cancels
  virtual void cancel() = 0;
};

class Loop {
 public:
  virtual ~Loop() = default;
  virtual Now now() const = 0;
  // Runs the function on the control thread, after what is posted already, never inside post(). Any thread may call it.
  virtual void post(std::function<void()> function) = 0;
  virtual std::unique_ptr<Timer> make_timer() = 0;
};

}  // namespace davit::ports
