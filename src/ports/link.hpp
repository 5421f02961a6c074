// The link between masters and agents: ordered and reliable while it is connected, lost in both directions when not.
// Implementations: adapters/link_local (one process), later adapters/link_grpc; tests/sim.
// Handlers run on the control thread, never inside send().
#pragma once

#include <functional>

#include "base/ids.hpp"
#include "model/link.hpp"

namespace davit::ports {

// The master's end. A message to an agent that is not connected is dropped.
class AgentLink {
 public:
  virtual ~AgentLink() = default;
  virtual void send(NodeId node, model::ToAgent message) = 0;
  virtual void receive(std::function<void(NodeId, model::ToMaster)> on_message, std::function<void(NodeId)> on_left) = 0;
};

// The agent's end. on_connected comes before the first message of each connection.
class MasterLink {
 public:
  virtual ~MasterLink() = default;
  virtual void send(model::ToMaster message) = 0;
  virtual void receive(std::function<void()> on_connected, std::function<void(model::ToAgent)> on_message) = 0;
};

}  // namespace davit::ports
