// The guard beside the agent: the production machine over the engine in memory. It outlives the agent's process, as the real one does,
// and needs no engine that answers: it sees processes and ends them.
#pragma once

#include <memory>
#include <vector>

#include "core/guard/guard.hpp"
#include "model/lease.hpp"
#include "ports/loop.hpp"
#include "sim/fake_docker.hpp"

namespace davit::sim {

class SimGuard {
 public:
  // `loop` is that of the guard's own process; `file` is what it finds there when it starts.
  SimGuard(ports::Loop& loop, FakeDocker& docker, std::string boot, std::vector<model::ContainerLease> file = {});

  void write(std::vector<model::ContainerLease> all);  // seen by the guard before anything else that happens in its process
  std::vector<model::ContainerLease> const& file() const { return file_; }

 private:
  void post(guard::Event const& event);
  void perform(guard::Signal const& action) { docker_.kill(action.container, 143); }
  void perform(guard::Kill const& action) { docker_.kill(action.container, 137); }
  void perform(guard::Look const& action);

  ports::Loop& loop_;
  FakeDocker& docker_;
  guard::Guard guard_;
  std::vector<model::ContainerLease> file_;
  std::unique_ptr<ports::Timer> timer_ = loop_.make_timer();
};

}  // namespace davit::sim
