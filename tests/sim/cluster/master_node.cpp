#include "sim/cluster/master_node.hpp"

#include <fmt/core.h>

namespace davit::sim {

MasterNode::Life::Life(MasterNode& node, Place place)
    : store(place, node.store_),
      agents(place, node.address(), node.machine_.around().observer),
      peers(place, node.address(), node.machine_.around().observer),
      driver(
          {place.process, store, agents, peers},
          {.new_cluster = {node.machine_.random().next() & ClusterId::kMask},
           .session = fmt::format("{}-{}", node.machine_.name(), node.machine_.lives()),
           .self = node.machine_.id(),
           .name = node.machine_.name(),
           .address = node.address(),
           .downing = node.downing_},
          {.on_changed =
               [&node](master::Transition const& change) { node.machine_.around().observer.on_transition(node.machine_.id(), change); },
           .on_noted = [&node](master::Noted const& note) { node.machine_.around().observer.on_noted(node.machine_.id(), note.text); }}) {}

MasterNode::MasterNode(Surroundings around, std::string name, NodeId id, Random random, StoreCluster& store, cluster::DowningPolicy downing)
    : machine_(around, std::move(name), id, random),
      store_(store),
      downing_(downing) {
  crashes_ = 1;  // until it is started
}

MasterNode::~MasterNode() { life_.reset(); }

void MasterNode::start() {
  if (--crashes_ > 0) return;
  end();
  auto const place = machine_.begin_process();
  life_ = std::make_unique<Life>(*this, place);
  place.process.post([this] { life_->driver.start(); });
}

void MasterNode::crash() {
  ++crashes_;
  end();
}

void MasterNode::leave() {
  if (crashes_++ > 0) return;
  life_->driver.leave([this, life = machine_.lives()] {
    machine_.around().delays.after(0ns, [this, life] {
      if (machine_.lives() == life) end();
    });
  });
}

void MasterNode::end() {
  if (!life_) return;
  machine_.around().directory.close(address());
  machine_.around().directory.close(address() + "/peers");
  machine_.end_process();
  life_.reset();
}

bool MasterNode::command(model::Command command, ports::Done<model::Applied> done) {
  if (!life_) return false;
  life_->driver.command(std::move(command), std::move(done));
  return true;
}

std::map<std::string, model::Move> MasterNode::moves_to_rebalance(std::size_t most) const {
  std::map<std::string, model::Move> by_service;
  if (!master()) return by_service;
  for (auto const& move : master()->rebalance(most))
    by_service[move.service].targets.push_back({move.slot, move.id, master()->node(move.to)->record.id});
  return by_service;
}

bool MasterNode::node_command(model::NodeCommand command, ports::Done<model::Applied> done) {
  if (!life_) return false;
  life_->driver.node_command(std::move(command), std::move(done));
  return true;
}

}  // namespace davit::sim
