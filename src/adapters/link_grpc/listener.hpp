// Where a master takes the streams of agents and of other masters: looks who calls, and gives each stream to its link, or says why
// not. Owned by the app; control thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "adapters/link_grpc/agent_link.hpp"
#include "adapters/link_grpc/handshake.hpp"
#include "adapters/link_grpc/peer_link.hpp"
#include "base/result.hpp"
#include "rpc/server.hpp"

namespace davit::link_grpc {

class Listener {
 public:
  struct Options {
    std::string address;  // "host:port"
    std::optional<rpc::Tls> tls;
    // What the master thinks of an agent, and of another master: an error keeps it out. Unavailable: it may try again soon. No text: it
    // knows. An agent may have come to be where one of the same id is present.
    std::function<Status(Caller const&, std::optional<AgentLink::Present> const&)> admit_agent;
    std::function<Status(Caller const&)> admit_peer;
    std::function<void(std::string)> on_refused;
  };
  static Result<std::unique_ptr<Listener>> listen(ports::Loop& loop, AgentLink& agents, PeerLink& peers, Options options);

  std::uint16_t port() const { return server_->port(); }

 private:
  Listener(AgentLink& agents, PeerLink& peers, Options options) : agents_(agents), peers_(peers), options_(std::move(options)) {}
  void take(rpc::Incoming& incoming);
  Status admit(Caller const& caller, std::string const& method) const;
  void refuse(rpc::Incoming& incoming, Error const& error);

  AgentLink& agents_;
  PeerLink& peers_;
  Options options_;
  std::map<std::string, std::string> refused_;  // for what, by node: each reason is told once
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace davit::link_grpc
