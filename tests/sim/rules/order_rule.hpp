// Rules about which healthy instances a master stops, judged by its own view at that moment.
// - None but for a reason that the view shows (design.md §12.8): more instances than slots, a service that goes, another revision, a rival
//   that serves in the same slot. One that is to leave its node goes when its successor serves, or, where two must not run, in its turn.
// - A rollout goes on only while enough others serve (§12.6): as many as there are slots (start-first), or `parallelism` fewer. Slots for
//   which no node has room do not count.
// - It stops only what can be followed: by the view nodes would take as many more of the current revision as a plan stops of the service.
//   What earlier plans have stopped, and nothing follows yet, is not counted.
// - One that serves and whose slot is not wanted any more stays for a slot of which nobody knows whether it is served (protocol.md §5.3).
// What runs on a node whose agent has not answered the order's fence counts as no successor and serves for nobody (protocol.md §5).
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "sim/cluster/cluster.hpp"
#include "sim/rules/answers.hpp"
#include "sim/rules/journal_rule.hpp"

namespace davit::sim {

class OrderRule final : public Observer {
 public:
  OrderRule(JournalRule const& journals, Answers const& answers, Findings& findings)
      : journals_(journals),
        answers_(answers),
        findings_(findings) {}
  void watch(Cluster& cluster) { cluster_ = &cluster; }

  void on_sent_to_agent(NodeId master, NodeId agent, model::ToAgent const& message) override;
  void on_sent_by_agent(NodeId agent, NodeId master, model::ToMaster const& message) override;
  void on_sent_to_peer(NodeId master, NodeId peer, model::PeerMessage const& message) override;
  void on_transition(NodeId master, master::Transition const& change) override;
  void look();  // now and then: at what masters have decided and could not say yet

 private:
  using Complain = std::function<void(std::string const&)>;

  void check(NodeId master, NodeId agent, model::ToAgent const& message);
  struct Order {
    NodeId master;
    Monotonic at{};  // by the master's clock
    master::Master const& view;
    master::Service const& service;
    model::StopInstance const& stop;
  };
  struct Plan {
    Monotonic at{};  // by the master's clock
    std::set<std::uint32_t> slots;  // whose last instance it stops
  };
  void judge(Order const& order, Complain const& complain);
  void check_floor(Order const& order, Complain const& complain) const;
  void check_room(Order const& order, Complain const& complain);
  void check_surplus(Order const& order, Complain const& complain) const;
  bool goes_on(Order const& order, service::Instance const& instance) const;
  bool is_homeless(Order const& order, std::uint32_t slot) const;
  bool has_waited(Order const& order, std::uint32_t slot) const;

  JournalRule const& journals_;
  Answers const& answers_;
  Findings& findings_;
  Cluster* cluster_ = nullptr;
  std::set<std::pair<NodeId, InstanceId>> sent_;
  std::set<std::pair<NodeId, InstanceId>> decided_;  // stops, by the last look: what is sent later rests on what was so then
  std::set<std::pair<NodeId, InstanceId>> placed_;   // by the last look: a plan may not know of what found its node later
  std::map<std::pair<NodeId, InstanceId>, bool> unwell_;  // as a master sees them: they run and do not serve; false: they did until now
  std::map<std::pair<NodeId, ServiceUid>, Plan> plans_;  // each master's last of each service
  std::set<InstanceId> ready_;  // as their agents have said last
  std::set<std::tuple<NodeId, std::string, std::uint32_t, InstanceId>> waiting_;  // for which a master has found no node
};

}  // namespace davit::sim
