// Rules about which healthy instances a master stops, judged by its own view at that moment.
// - None but for a reason that the view shows (design.md §12.8): more instances than slots, a service that goes, another revision, a rival
//   that serves in the same slot. One that is to leave its node goes when its successor serves, or, where two must not run, in its turn.
// - A rollout goes on only while enough others serve (§12.6): as many as there are slots (start-first), or `parallelism` fewer. Slots for
//   which no node has room do not count.
#pragma once

#include <functional>
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
  void on_sent_to_peer(NodeId master, NodeId peer, model::PeerMessage const& message) override;

 private:
  using Complain = std::function<void(std::string const&)>;

  void check(NodeId master, NodeId agent, model::ToAgent const& message);
  void judge(master::Master const& view, master::Service const& service, model::StopInstance const& stop, Complain const& complain);
  void check_floor(master::Service const& service, Complain const& complain) const;

  JournalRule const& journals_;
  Findings& findings_;
  Cluster* cluster_ = nullptr;
  std::set<std::pair<NodeId, InstanceId>> sent_;
  std::set<InstanceId> ready_;  // as their agents have said last
};

}  // namespace davit::sim
