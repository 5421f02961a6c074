// What an agent needs of its node besides the engine.
#pragma once

#include <vector>

#include "model/agent_state.hpp"
#include "model/lease.hpp"
#include "model/node.hpp"
#include "ports/done.hpp"

namespace davit::ports {

// Durable once `done` says so.
class StateFile {
 public:
  virtual ~StateFile() = default;
  virtual void save(model::AgentState state, Done<void> done) = 0;
};

// What the guard beside the agent reads. Replaced as a whole, and seen by the guard once `done` says so.
class LeaseFile {
 public:
  virtual ~LeaseFile() = default;
  virtual void write(std::vector<model::ContainerLease> all, Done<void> done) = 0;
};

// Cheap enough for once a second.
class LoadMeter {
 public:
  virtual ~LoadMeter() = default;
  virtual model::NodeLoad measure() = 0;
};

}  // namespace davit::ports
