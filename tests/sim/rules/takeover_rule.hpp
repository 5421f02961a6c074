// Rules about what an owner of a shard does for services that may be doubled for a moment (protocol.md §5).
// - It places an instance only once every worker that is not down has answered its fence, or three seconds after that. What was created
//   after its grant is placed at once.
// - It places none for a slot whose instance serves on a node that is up, and whose agent has answered it.
// - It stops one that serves for another one's sake only if that one's agent has answered it.
#pragma once

#include <map>
#include <set>
#include <utility>

#include "sim/cluster/cluster.hpp"
#include "sim/rules/answers.hpp"
#include "sim/rules/journal_rule.hpp"

namespace davit::sim {

class TakeoverRule final : public Observer {
 public:
  TakeoverRule(VirtualLoop const& loop, JournalRule const& journals, Answers const& answers, Findings& findings)
      : loop_(loop),
        journals_(journals),
        answers_(answers),
        findings_(findings) {}
  void watch(Cluster& cluster) { cluster_ = &cluster; }

  void on_committed(ports::Commit const& commit, ports::Committed const& committed) override;
  void on_sent_to_agent(NodeId master, NodeId agent, model::ToAgent const& message) override;
  void on_sent_to_peer(NodeId master, NodeId peer, model::PeerMessage const& message) override;
  void on_sent_by_agent(NodeId agent, NodeId master, model::ToMaster const& message) override;
  void look();  // now and then: what masters have taken note of

 private:
  struct Serving {
    NodeId agent;
    std::uint32_t revision = 0;
  };
  using Slot = std::pair<ServiceUid, std::uint32_t>;

  void check(NodeId master, NodeId agent, model::ToAgent const& message);
  void check_answers(NodeId master, model::RunInstance const& offer, JournalRule::Grant const& grant);
  void check_need(NodeId master, NodeId agent, model::RunInstance const& offer);
  void check_rivals(NodeId master, model::StopInstance const& stop);
  void take(NodeId agent, model::InstanceReport const& report);
  master::Master const* find_master(NodeId id) const;

  VirtualLoop const& loop_;
  JournalRule const& journals_;
  Answers const& answers_;
  Findings& findings_;
  Cluster* cluster_ = nullptr;
  std::map<NodeId, std::int64_t> recorded_in_;             // nodes: the revision of their records
  std::map<NodeId, Monotonic> recorded_at_;
  std::map<Slot, std::map<InstanceId, Serving>> serving_;  // as their agents have said last
  std::map<InstanceId, std::set<NodeId>> noted_;           // by which masters, while they serve
  std::set<std::pair<NodeId, InstanceId>> stopped_;        // by which masters
  std::set<InstanceId> known_;                             // to agents: another word about them is no placement
};

}  // namespace davit::sim
