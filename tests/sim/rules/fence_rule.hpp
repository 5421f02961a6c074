// Rule: an agent's answer to a fence says what is so (protocol.md §5).
// - The epochs are on its disk by then: a restart does not take them back.
// - It lists every instance whose container has run since before the agent's process began: nobody else speaks for it.
#pragma once

#include <map>
#include <set>
#include <string>

#include "sim/cluster/cluster.hpp"
#include "sim/rules/findings.hpp"

namespace davit::sim {

class FenceRule final : public Observer {
 public:
  explicit FenceRule(Findings& findings) : findings_(findings) {}
  void watch(Cluster& cluster) { cluster_ = &cluster; }

  void on_agent_started(NodeId agent) override;
  void on_sent_by_agent(NodeId agent, NodeId master, model::ToMaster const& message) override;

 private:
  Findings& findings_;
  Cluster* cluster_ = nullptr;
  std::map<NodeId, std::set<std::string>> found_;  // containers that ran when the agent's process began
};

}  // namespace davit::sim
