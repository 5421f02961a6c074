// Rules about what agents do to containers.
// - No container without this installation's labels is ever touched (design.md §12.7).
// - A healthy container that runs is stopped or removed only by a fenced command under the newest epoch that the agent has answered
//   (§12.8, protocol.md §8: absence is never an order), or because its lease has ended or its probes have failed. It may have become
//   healthy only since the agent inspected it last, and what the agent has once begun to end for a reason it ends, whatever becomes of it.
#pragma once

#include <array>
#include <map>
#include <set>
#include <string>

#include "sim/cluster/cluster.hpp"
#include "sim/rules/findings.hpp"

namespace davit::sim {

class ContainerRule final : public Observer {
 public:
  ContainerRule(VirtualLoop const& loop, Findings& findings) : loop_(loop), findings_(findings) {}
  void watch(Cluster& cluster) { cluster_ = &cluster; }

  void on_received_by_agent(NodeId agent, model::ToAgent const& message) override;
  void on_sent_by_agent(NodeId agent, NodeId master, model::ToMaster const& message) override;
  void on_engine_called(NodeId agent, model::EngineCall const& call) override;
  void on_container_changed(NodeId agent, model::ContainerDetail const& container) override;
  void on_disk_lost(NodeId agent) override { agents_[agent].answered = {}; }

 private:
  struct Agent {
    std::array<Epoch, kShards> answered{};
    std::set<std::string> to_stop;  // instances
    std::map<std::string, Monotonic> well_since;    // containers, as their engine saw them change last
    std::map<std::string, Monotonic> inspected_at;  // containers: when the agent asked last
    std::set<std::string> ending;                   // containers that the agent ends for a reason
  };

  void check(NodeId agent, std::string const& container, std::string_view what, bool is_ending);
  bool has_reason_to_end(NodeId agent, model::ContainerDetail const& container);

  VirtualLoop const& loop_;
  Findings& findings_;
  Cluster* cluster_ = nullptr;
  std::map<NodeId, Agent> agents_;
};

}  // namespace davit::sim
