// Between masters: ordered messages over one connection for each pair, as in ports/link.hpp.
// Implementations: adapters/link_local (none), adapters/link_grpc; tests/sim. Handlers run on the control thread, never inside
// send().
#pragma once

#include <functional>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/peer.hpp"

namespace davit::ports {

class PeerLink {
 public:
  struct Handlers {
    std::function<void(NodeId)> on_joined;  // before the first message of each connection
    std::function<void(NodeId, model::PeerMessage)> on_message;
    std::function<void(NodeId)> on_left;
    std::function<void(NodeId)> on_dropped;  // something that was for it; the connection stands
  };
  virtual ~PeerLink() = default;
  virtual void receive(Handlers handlers) = 0;
  // A message to a master that is not connected is dropped, as is one that cannot be written by `valid_until`; on_dropped tells of these.
  virtual void send(NodeId master, model::PeerMessage message, Monotonic valid_until) = 0;
  virtual void keep_connected(std::vector<model::MasterAddress> masters) = 0;
};

}  // namespace davit::ports
