// Which fences each agent has answered, by what it has sent: what a master may know of it at the most. Told before the rules that ask.
#pragma once

#include <algorithm>
#include <array>
#include <map>

#include "sim/observer.hpp"

namespace davit::sim {

class Answers final : public Observer {
 public:
  void on_sent_by_agent(NodeId agent, NodeId, model::ToMaster const& message) override {
    auto const* stored = std::get_if<model::FencesStored>(&message);
    if (!stored) return;
    for (auto const& fence : stored->fences) {
      auto& highest = highest_[agent][fence.shard.value];
      highest = std::max(highest, fence.epoch);
    }
  }

  bool has_answered(NodeId agent, Fence fence) const {
    auto const found = highest_.find(agent);
    return found != highest_.end() && found->second[fence.shard.value] >= fence.epoch;
  }
  bool refuses(NodeId agent, Fence fence) const {
    auto const found = highest_.find(agent);
    return found != highest_.end() && found->second[fence.shard.value] > fence.epoch;
  }

 private:
  std::map<NodeId, std::array<Epoch, kShards>> highest_;
};

}  // namespace davit::sim
