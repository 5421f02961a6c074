// Things that happen a while later in the simulated world, outside of any process: they cannot be stopped but by the end of the world.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "sim/virtual_loop.hpp"

namespace davit::sim {

class Delays {
 public:
  explicit Delays(VirtualLoop& loop) : loop_(loop) {}

  void after(Duration wait, std::function<void()> then) {
    auto const id = ++last_;
    auto& timer = timers_[id] = loop_.make_timer();
    timer->set(loop_.now().monotonic + wait, [this, id, then = std::move(then)] {
      auto const spent = timers_.extract(id);
      then();
    });
  }

 private:
  VirtualLoop& loop_;
  std::map<std::uint64_t, std::unique_ptr<ports::Timer>> timers_;
  std::uint64_t last_ = 0;
};

}  // namespace davit::sim
