// Both ends of the link in one process: every message is posted to the control thread, so that neither side is ever
// called inside its own send(). The logs of the one node come straight from its engine.
// Owned by the app; outlives both drivers.
#pragma once

#include <functional>
#include <memory>

#include "ports/instance_logs.hpp"
#include "ports/link.hpp"
#include "ports/loop.hpp"

namespace davit::link_local {

class LocalLink : public ports::AgentLink, public ports::MasterLink, public ports::InstanceLogs {
 public:
  LocalLink(ports::Loop& loop, ports::Engine& engine, NodeId node) : loop_(loop), engine_(engine), node_(node) {}

  // Both sides have said what they do with messages: the agent learns of its master.
  void connect();

  void send(NodeId node, model::ToAgent message) override;
  void receive(std::function<void(NodeId, model::ToMaster)> on_message, std::function<void(NodeId)> on_left) override;
  void send(model::ToMaster message) override;
  void receive(std::function<void()> on_connected, std::function<void(model::ToAgent)> on_message) override;
  std::unique_ptr<ports::LogReader> read(NodeId node, ports::LogQuery query, std::function<void(ports::LogLine)> on_line,
                                         std::function<void(Status)> on_end) override;

 private:
  ports::Loop& loop_;
  ports::Engine& engine_;
  NodeId node_;
  std::function<void(NodeId, model::ToMaster)> to_master_;
  std::function<void(model::ToAgent)> to_agent_;
  std::function<void()> on_connected_;
};

}  // namespace davit::link_local
