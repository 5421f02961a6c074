// Rule: a node that no master reaches does not stay up in the store (protocol.md §6): not even one that is still heard. Only where all
// masters have been well for a while, so that they can say so.
#pragma once

#include <map>

#include "sim/cluster/cluster.hpp"
#include "sim/rules/journal_rule.hpp"

namespace davit::sim {

class SilenceRule final : public Observer {
 public:
  SilenceRule(VirtualLoop const& loop, JournalRule const& journals, Findings& findings)
      : loop_(loop),
        journals_(journals),
        findings_(findings) {}
  void watch(Cluster& cluster) { cluster_ = &cluster; }

  void on_received_by_agent(NodeId agent, model::ToAgent const& message) override;
  void look();  // now and then

 private:
  bool are_masters_well() const;

  VirtualLoop const& loop_;
  JournalRule const& journals_;
  Findings& findings_;
  Cluster* cluster_ = nullptr;
  std::map<NodeId, Monotonic> reached_at_;  // or recorded otherwise than up
  Monotonic unwell_at_{};                   // some master
};

}  // namespace davit::sim
