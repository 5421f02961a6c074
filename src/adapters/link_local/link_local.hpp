// Both ends of the link in one process: every message is posted to the control thread, so that neither side is ever
// called inside its own send(). The logs of the one node come straight from its engine.
// Owned by the app; outlives both drivers.
#pragma once

#include <functional>
#include <memory>

#include "ports/instance_logs.hpp"
#include "ports/link.hpp"
#include "ports/loop.hpp"
#include "ports/peer.hpp"

namespace davit::link_local {

class LocalLink : public ports::AgentLink, public ports::MasterLink, public ports::InstanceLogs {
 public:
  LocalLink(ports::Loop& loop, ports::Engine& engine, NodeId node) : loop_(loop), engine_(engine), node_(node) {}

  // Both sides have said what they do with messages: the agent learns of its master.
  void connect();

  void receive(ports::AgentLink::Handlers handlers) override { master_ = std::move(handlers); }
  void send(NodeId node, model::ToAgent message, Monotonic valid_until) override;
  void receive(ports::MasterLink::Handlers handlers) override { agent_ = std::move(handlers); }
  void send(NodeId master, model::ToMaster message) override;
  void keep_connected(std::vector<model::MasterAddress>) override {}
  std::unique_ptr<ports::LogReader> read(NodeId node, ports::LogQuery query, std::function<void(ports::LogLine)> on_line,
                                         std::function<void(Status)> on_end) override;

 private:
  ports::Loop& loop_;
  ports::Engine& engine_;
  NodeId node_;
  ports::AgentLink::Handlers master_;
  ports::MasterLink::Handlers agent_;
};

// The only master has no peers.
class NoPeers : public ports::PeerLink {
 public:
  void receive(Handlers) override {}
  void send(NodeId, model::PeerMessage, Monotonic) override {}
  void keep_connected(std::vector<model::MasterAddress>) override {}
};

}  // namespace davit::link_local
