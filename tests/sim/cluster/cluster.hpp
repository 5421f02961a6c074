// The whole simulated cluster: stores, masters and agents on their machines, and the network between them. It does nothing by itself but
// what the processes do; faults and workload come from outside.
// Owned by the run, for its whole length.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/cluster/agent_node.hpp"
#include "sim/cluster/master_node.hpp"

namespace davit::sim {

class Cluster {
 public:
  struct Size {
    std::size_t masters = 3;
    std::size_t agents = 10;
    std::size_t stores = 3;
  };
  Cluster(VirtualLoop& loop, Size size, Random random, Observer& observer, cluster::DowningPolicy downing = {});
  Cluster(Cluster const&) = delete;
  Cluster& operator=(Cluster const&) = delete;

  void start();  // everything, each in its own moment of the first second
  // Some join later, and on the workers other things run, too.
  void start_by_and_by(Duration last_join);

  VirtualLoop& loop() { return network_.loop(); }
  Network& network() { return network_; }
  StoreCluster& store() { return store_; }
  Delays& delays() { return delays_; }
  std::vector<std::unique_ptr<MasterNode>>& masters() { return masters_; }
  std::vector<std::unique_ptr<AgentNode>>& agents() { return agents_; }
  std::vector<std::unique_ptr<MasterNode>> const& masters() const { return masters_; }
  std::vector<std::unique_ptr<AgentNode>> const& agents() const { return agents_; }
  AgentNode& agent(NodeId id);
  cluster::DowningPolicy downing() const { return downing_; }
  std::vector<Machine*> machines();

  std::vector<std::string> pending() const;

 private:
  void add_strangers(AgentNode& agent);
  void start_all(std::function<Duration()> const& draw_moment);

  Random random_;
  cluster::DowningPolicy downing_;  // of all its masters
  Network network_;
  Directory directory_;
  Delays delays_;
  StoreCluster store_;
  std::vector<std::unique_ptr<MasterNode>> masters_;
  std::vector<std::unique_ptr<AgentNode>> agents_;
};

}  // namespace davit::sim
