// Rules about what agents do to containers.
// - No container without this installation's labels is ever touched (design.md §12.7).
// - A healthy container that runs is stopped or removed only by a fenced command under the newest epoch that the agent has answered
//   (§12.8, protocol.md §8: absence is never an order), or because its lease has ended.
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
  explicit ContainerRule(Findings& findings) : findings_(findings) {}
  void watch(Cluster& cluster) { cluster_ = &cluster; }

  void on_received_by_agent(NodeId agent, model::ToAgent const& message) override;
  void on_sent_by_agent(NodeId agent, NodeId master, model::ToMaster const& message) override;
  void on_engine_called(NodeId agent, model::EngineCall const& call) override;
  void on_disk_lost(NodeId agent) override { agents_[agent].answered = {}; }

 private:
  struct Agent {
    std::array<Epoch, kShards> answered{};
    std::set<std::string> to_stop;  // instances
  };

  void check(NodeId agent, std::string const& container, std::string_view what, bool is_ending);

  Findings& findings_;
  Cluster* cluster_ = nullptr;
  std::map<NodeId, Agent> agents_;
};

}  // namespace davit::sim
