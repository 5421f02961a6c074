// Rule: no agent admits beyond its node's reservations, ports or max per node (design.md §12.5), by what it has admitted and said itself;
// nor what was offered to an earlier life of its node than the one it has been told of.
#pragma once

#include <array>
#include <map>
#include <set>
#include <vector>

#include "model/spec.hpp"
#include "sim/cluster/cluster.hpp"
#include "sim/rules/findings.hpp"

namespace davit::sim {

class AdmissionRule final : public Observer {
 public:
  explicit AdmissionRule(Findings& findings) : findings_(findings) {}

  void watch(Cluster& cluster) { cluster_ = &cluster; }

  void on_received_by_agent(NodeId agent, model::ToAgent const& message) override;
  void on_sent_by_agent(NodeId agent, NodeId master, model::ToMaster const& message) override;
  // It finds containers, and not what they reserve: that it learns of what their owners confirm.
  void on_agent_started(NodeId agent) override {
    auto& started = agents_[agent];
    started.offers.clear();
    started.admitted.clear();
    started.incarnation = 0;
    started.answered = {};
  }

 private:
  struct Admitted {
    ServiceUid uid;
    model::SpecRef spec;
    bool is_found = false;  // by a list of the engine's, not admitted
    bool is_stopping = false;
    std::vector<model::PublishedPort> ports;
  };
  struct Agent {
    std::map<InstanceId, model::RunInstance> offers;
    std::map<InstanceId, Admitted> admitted;
    std::set<InstanceId> told_to_stop;
    std::uint64_t incarnation = 0;  // the highest that it has been told
    std::set<InstanceId> outlived;  // offers to an earlier life than that
    std::array<Epoch, kShards> answered{};  // by this process: until it has answered it takes no notice of offers
  };

  void forget_ended(NodeId id, Agent& agent) const;
  void on_admitted(NodeId id, Agent& agent, model::Verdict const& verdict);
  void on_report(NodeId id, Agent& agent, model::InstanceReport const& report);
  void on_list(Agent& agent, std::vector<model::InstanceReport> const& all);

  Findings& findings_;
  Cluster* cluster_ = nullptr;
  std::map<NodeId, Agent> agents_;
};

}  // namespace davit::sim
