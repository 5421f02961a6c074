// Rules about slots that must not be doubled, as their agents keep them (protocol.md §7).
// - No container of such a slot is started before the guard's file names it, with an end that has not come.
// - No end in that file lies further ahead than `stop_after` beyond a beat that some master has answered with a grant, by the agent's
//   own clock of that beat: however late the grant arrives.
// - What an agent says is gone it refuses on its disk by then: no restart makes it take an offer of that token.
#pragma once

#include <map>

#include "sim/cluster/cluster.hpp"
#include "sim/rules/findings.hpp"

namespace davit::sim {

class LeaseRule final : public Observer {
 public:
  explicit LeaseRule(Findings& findings) : findings_(findings) {}
  void watch(Cluster& cluster) { cluster_ = &cluster; }

  void on_received_by_agent(NodeId agent, model::ToAgent const& message) override;
  void on_sent_by_agent(NodeId agent, NodeId master, model::ToMaster const& message) override;
  void on_engine_called(NodeId agent, model::EngineCall const& call) override;
  void look();  // now and then: at the files

 private:
  struct Agent {
    Monotonic granted{};    // the newest beat that was answered with a grant, in this boot
    Duration stop_after{};  // the longest that it was told
  };

  Findings& findings_;
  Cluster* cluster_ = nullptr;
  std::map<NodeId, Agent> agents_;
};

}  // namespace davit::sim
