// Rule: a node is written down only as the store's own records allow (protocol.md §6).
// - No master that lives since before the round began has testified in it that it hears the node.
// - No more workers are unreachable, or were lately downed, than the cluster's policy bears, unless an operator decides.
#pragma once

#include <map>

#include "model/records.hpp"
#include "sim/cluster/cluster.hpp"
#include "sim/rules/findings.hpp"

namespace davit::sim {

class DowningRule final : public Observer {
 public:
  DowningRule(VirtualLoop const& loop, Findings& findings) : loop_(loop), findings_(findings) {}
  void watch(Cluster& cluster) { cluster_ = &cluster; }

  void on_committed(ports::Commit const& commit, ports::Committed const& committed) override;

 private:
  void check_witnesses(model::NodeLife down);
  void check_policy(NodeId down);

  VirtualLoop const& loop_;
  Findings& findings_;
  Cluster* cluster_ = nullptr;
  std::map<NodeId, model::NodeRecord> nodes_;
  std::map<NodeId, Monotonic> downed_at_;
  model::SuspectsRecord suspects_;
  std::int64_t suspected_in_ = 0;  // the revision that began the round
};

}  // namespace davit::sim
