// Between masters and agents: ordered messages, nothing lost while a connection stands; a connection that breaks loses what
// was under way, and says so at both ends once it is noticed, which a cut cable may delay for long.
// Implementations: adapters/link_local (one process), adapters/link_grpc; tests/sim.
// Handlers run on the control thread, never inside send().
#pragma once

#include <functional>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/link.hpp"

namespace davit::ports {

// The master's end. A message to an agent that is not connected is dropped.
class AgentLink {
 public:
  struct Handlers {
    std::function<void(NodeId)> on_joined;  // before the first message of each connection
    std::function<void(NodeId, model::ToMaster)> on_message;
    std::function<void(NodeId)> on_left;
    std::function<void(NodeId)> on_dropped;  // something that was for it; the connection stands
  };
  virtual ~AgentLink() = default;
  virtual void receive(Handlers handlers) = 0;
  // What cannot be written to the socket by `valid_until` is dropped: the session that it belongs to may have ended. on_dropped tells.
  virtual void send(NodeId node, model::ToAgent message, Monotonic valid_until) = 0;
};

// The agent's end: connections to every master it knows of.
class MasterLink {
 public:
  struct Handlers {
    std::function<void(NodeId)> on_joined;  // before the first message of each connection
    std::function<void(NodeId, model::ToAgent)> on_message;
    std::function<void(NodeId)> on_left;
  };
  virtual ~MasterLink() = default;
  virtual void receive(Handlers handlers) = 0;
  virtual void send(NodeId master, model::ToMaster message) = 0;
  // Keeps a connection to each of these, besides those it was started with, and tries again within a second when one breaks.
  virtual void keep_connected(std::vector<model::MasterAddress> masters) = 0;
};

}  // namespace davit::ports
