// One master of the simulated cluster: the production machine and driver over simulated ports, in one process after the other.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "drivers/master_driver.hpp"
#include "sim/cluster/machine.hpp"
#include "sim/net/links.hpp"
#include "sim/store/remote_store.hpp"

namespace davit::sim {

class MasterNode {
 public:
  MasterNode(Surroundings around, std::string name, NodeId id, Random random, StoreCluster& store, cluster::DowningPolicy downing);
  ~MasterNode();
  MasterNode(MasterNode const&) = delete;
  MasterNode& operator=(MasterNode const&) = delete;

  Machine& machine() { return machine_; }
  std::string address() const { return machine_.name() + ":4821"; }
  void crash();  // as often as it is started again
  void start();
  void leave();  // as by SIGTERM: it hands over and ends; what has not by the next start() is killed then
  master::Master const* master() const { return life_ ? &life_->driver.master() : nullptr; }

  // False: there is no process to ask. No answer comes from one that is killed.
  bool command(model::Command command, ports::Done<model::Applied> done);
  bool node_command(model::NodeCommand command, ports::Done<model::Applied> done);
  // What this one would move elsewhere, at most so many instances: to be asked of the services' owners.
  std::map<std::string, model::Move> moves_to_rebalance(std::size_t most) const;

 private:
  void end();

  struct Life {
    Life(MasterNode& node, Place place);
    Life(Life const&) = delete;
    Life& operator=(Life const&) = delete;
    RemoteStore store;
    AgentLink agents;
    PeerLink peers;
    drivers::MasterDriver driver;
  };

  Machine machine_;
  StoreCluster& store_;
  cluster::DowningPolicy downing_;
  std::unique_ptr<Life> life_;
  int crashes_ = 0;
};

}  // namespace davit::sim
