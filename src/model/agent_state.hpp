// What an agent must not forget over a restart: who it is, and the highest epoch it has stored for each shard.
#pragma once

#include <array>
#include <optional>

#include "base/ids.hpp"

namespace davit::model {

struct AgentState {
  NodeId node;
  std::optional<ClusterId> cluster;  // absent until a master has said it
  std::array<Epoch, kShards> epochs{};
  friend bool operator==(AgentState const&, AgentState const&) = default;
};

}  // namespace davit::model
