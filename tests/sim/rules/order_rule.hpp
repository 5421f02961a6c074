// Rule: no master stops a healthy instance but for a reason that its own view shows (design.md §12.8): more instances than slots, a service
// that goes, another revision, or a rival in the same slot.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "sim/cluster/cluster.hpp"
#include "sim/rules/journal_rule.hpp"

namespace davit::sim {

class OrderRule final : public Observer {
 public:
  OrderRule(JournalRule const& journals, Findings& findings) : journals_(journals), findings_(findings) {}
  void watch(Cluster& cluster) { cluster_ = &cluster; }

  void on_sent_to_agent(NodeId master, NodeId agent, model::ToAgent const& message) override;
  void on_sent_by_agent(NodeId agent, NodeId master, model::ToMaster const& message) override;
  void on_transition(NodeId master, master::Transition const& change) override { noted_[{master, change.instance}] = change.type; }
  void on_sent_to_peer(NodeId master, NodeId peer, model::PeerMessage const& message) override;

 private:
  void check(NodeId master, NodeId agent, model::ToAgent const& message);

  JournalRule const& journals_;
  Findings& findings_;
  Cluster* cluster_ = nullptr;
  // What a master has decided on may be older than its view: here are its words in the order of its decisions.
  std::map<std::pair<NodeId, InstanceId>, std::string> noted_;
  std::set<InstanceId> ready_;  // as their agents have said last
};

}  // namespace davit::sim
