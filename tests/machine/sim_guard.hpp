// The guard beside the agent: the production machine over the engine in memory. It outlives the agent's process, as the real one does.
#pragma once

#include <memory>
#include <vector>

#include "core/guard/guard.hpp"
#include "model/lease.hpp"
#include "sim/fake_docker.hpp"
#include "sim/virtual_loop.hpp"

namespace davit::sim {

class SimGuard {
 public:
  SimGuard(VirtualLoop& loop, FakeDocker& docker, std::string boot) : loop_(loop), docker_(docker), guard_(std::move(boot)) {}

  void write(std::vector<model::ContainerLease> all);
  std::vector<model::ContainerLease> const& file() const { return file_; }

 private:
  void post(guard::Event const& event);
  void perform(guard::Signal const& action) { docker_.kill(action.container, 143); }
  void perform(guard::Kill const& action) { docker_.kill(action.container, 137); }
  void perform(guard::Look const& action);

  VirtualLoop& loop_;
  FakeDocker& docker_;
  guard::Guard guard_;
  std::vector<model::ContainerLease> file_;
  std::unique_ptr<ports::Timer> timer_ = loop_.make_timer();
};

}  // namespace davit::sim
