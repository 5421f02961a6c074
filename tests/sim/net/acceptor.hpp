// The server's end of every link: one connection for each caller. A caller that calls again has lost its last connection, which ends here
// before the new one begins.
// Owned by the process whose loop it runs on.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "sim/net/dialler.hpp"

namespace davit::sim {

class Acceptor {
 public:
  Acceptor(Place place, std::string address, Dialler::Handlers handlers);
  Acceptor(Acceptor const&) = delete;
  Acceptor& operator=(Acceptor const&) = delete;

  Connection* find(NodeId caller) const;

 private:
  Connection::Side accept(NodeId caller);
  void on_accepted(NodeId caller, std::shared_ptr<Connection> connection);

  Place place_;
  Dialler::Handlers handlers_;
  struct Call {
    std::uint64_t number = 0;
    std::shared_ptr<Connection> connection;
  };
  std::map<NodeId, Call> calls_;
  std::uint64_t last_call_ = 0;
};

}  // namespace davit::sim
