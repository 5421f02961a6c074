// Rules about how a rollout ends (design.md §7).
// - It is completed in full only when each slot has an instance of the revision that has served for `monitor` without a break, or no node
//   has room for the slot. An end of which its owner has not heard yet counts as none.
// - An agent reports no instance as ready whose container has never run well, nor for longer than since it first did.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/rules/journal_rule.hpp"

namespace davit::sim {

class RolloutRule final : public Observer {
 public:
  RolloutRule(VirtualLoop const& loop, JournalRule const& journals, Findings& findings)
      : loop_(loop),
        journals_(journals),
        findings_(findings) {}

  void on_committed(ports::Commit const& commit, ports::Committed const& committed) override;
  void on_container_changed(NodeId agent, model::ContainerDetail const& container) override;
  void on_sent_by_agent(NodeId agent, NodeId master, model::ToMaster const& message) override;
  void on_sent_to_agent(NodeId master, NodeId agent, model::ToAgent const& message) override;
  void on_transition(NodeId master, master::Transition const& change) override;

 private:
  struct Served {
    struct Run {
      Monotonic since;
      Monotonic ended;
    };
    std::string container;
    Monotonic since = kNever;  // kNever: it is not ready
    std::vector<Run> runs;     // that are over
    Duration told{};           // the longest of all, by its agent, which may have been cut off meanwhile
  };
  struct Slot {
    std::map<std::uint32_t, std::set<InstanceId>> instances;  // by revision
    Monotonic homeless_until = Monotonic::min();              // no node was found for its last instance before then
  };

  void take(NodeId agent, model::InstanceReport const& report);
  void check_told(NodeId agent, model::InstanceReport const& report);
  void check_end(model::Head const& head);
  Duration served(NodeId owner, InstanceId instance) const;

  VirtualLoop const& loop_;
  JournalRule const& journals_;
  Findings& findings_;
  std::map<std::pair<NodeId, std::string>, Monotonic> well_since_;  // containers: when they first ran well
  std::map<std::string, Monotonic> instances_well_since_;            // when a container of theirs first did
  std::map<InstanceId, Served> served_;
  std::map<std::pair<NodeId, InstanceId>, std::vector<Monotonic>> seen_ended_;  // by which masters, when
  std::map<std::pair<ServiceUid, std::uint32_t>, Slot> slots_;
};

}  // namespace davit::sim
