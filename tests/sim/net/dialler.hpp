// Keeps a connection to each of several addresses: dials again, with a wait, where one breaks or cannot be made. The client's end of every
// link. Owned by the process whose loop it runs on.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/link.hpp"
#include "sim/net/directory.hpp"

namespace davit::sim {

// Where a process stands in the network.
struct Place {
  Network& network;
  Directory& directory;
  ProcessLoop& process;
  HostId host;
  NodeId self;
};

class Dialler {
 public:
  struct Handlers {
    std::function<void(NodeId)> on_joined;
    std::function<void(NodeId, Message)> on_message;
    std::function<void(NodeId)> on_left;
    std::function<void(NodeId)> on_dropped = [](NodeId) {};
  };
  Dialler(Place place, Handlers handlers) : place_(place), handlers_(std::move(handlers)) {}

  // These and no others.
  void keep_connected(std::vector<model::MasterAddress> const& targets);
  Connection* find(NodeId target) const;

 private:
  struct Target {
    std::string address;
    std::shared_ptr<Connection> connection;
    std::unique_ptr<ports::Timer> dial;
  };

  void dial_after(NodeId id, Duration wait);
  void dial(NodeId id);
  void on_closed(NodeId id);

  Place place_;
  Handlers handlers_;
  std::map<NodeId, Target> targets_;
};

}  // namespace davit::sim
