// Rule: one master at a time acts for a shard, as the agents see it (design.md §12.2).
// - No agent obeys an older epoch once it has answered a newer one; one that lost its disk starts anew.
// - No master sends orders under a grant that has been superseded for longer than its view may be old (protocol.md §3: 2 s by its own
//   clock, which may be slower than true time), nor orders or grants of leases by a view that is older than that.
#pragma once

#include <array>
#include <map>
#include <string_view>

#include "sim/cluster/cluster.hpp"
#include "sim/rules/journal_rule.hpp"

namespace davit::sim {

class EpochRule final : public Observer {
 public:
  EpochRule(VirtualLoop const& loop, JournalRule const& journals, Findings& findings)
      : loop_(loop),
        journals_(journals),
        findings_(findings) {}
  void watch(Cluster& cluster) { cluster_ = &cluster; }

  void on_sent_to_agent(NodeId master, NodeId agent, model::ToAgent const& message) override;
  void on_sent_to_peer(NodeId master, NodeId peer, model::PeerMessage const& message) override;
  void on_received_by_agent(NodeId agent, model::ToAgent const& message) override;
  void on_sent_by_agent(NodeId agent, NodeId master, model::ToMaster const& message) override;
  void on_disk_lost(NodeId agent) override { agents_.erase(agent); }

 private:
  struct Agent {
    std::array<Epoch, kShards> highest{};
    std::map<InstanceId, Fence> offers;
  };

  void check_view(NodeId master, NodeId agent, std::string_view what);
  void check_order(NodeId master, NodeId agent, model::ToAgent const& message);

  VirtualLoop const& loop_;
  JournalRule const& journals_;
  Findings& findings_;
  Cluster* cluster_ = nullptr;
  std::map<NodeId, Agent> agents_;
};

}  // namespace davit::sim
