// Who listens where, in the whole simulated network. A listener is there while its process lives.
// Owned by the cluster.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/ids.hpp"
#include "sim/net/connection.hpp"

namespace davit::sim {

struct Listener {
  HostId host;
  ProcessLoop& process;
  // Makes the server's side for a caller that says who it is, and is told of the connection as soon as both sides stand.
  std::function<Connection::Side(NodeId from)> accept;
  std::function<void(NodeId from, std::shared_ptr<Connection>)> on_accepted;
};

class Directory {
 public:
  void listen(std::string const& address, Listener listener) {
    listeners_.insert_or_assign(address, std::make_shared<Listener const>(std::move(listener)));
  }
  void close(std::string const& address) { listeners_.erase(address); }
  std::shared_ptr<Listener const> find(std::string const& address) const {
    auto const found = listeners_.find(address);
    return found == listeners_.end() ? nullptr : found->second;
  }

 private:
  std::map<std::string, std::shared_ptr<Listener const>> listeners_;
};

}  // namespace davit::sim
