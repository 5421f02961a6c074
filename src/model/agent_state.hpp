// What an agent must not forget over a restart: who it is, the highest epoch it has stored for each shard, and which instances it may
// have in slots that must not be doubled.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "base/ids.hpp"
#include "base/time.hpp"

namespace davit::model {

// The newest that an agent knows of a slot: the lower tokens are refused, and so is this one once it was given back.
struct SlotClaim {
  ServiceUid uid;
  std::uint32_t slot = 0;
  std::uint64_t token = 0;
  std::uint64_t incarnation = 0;  // of the node, under which it was assigned
  bool is_refused = false;
  Duration stop_after{};  // the length of its lease
  friend bool operator==(SlotClaim const&, SlotClaim const&) = default;
};

struct AgentState {
  NodeId node;
  std::optional<ClusterId> cluster;  // absent until a master has said it
  std::array<Epoch, kShards> epochs{};
  std::map<std::pair<ServiceUid, std::uint32_t>, SlotClaim> slots;
  std::uint64_t refused_below = 0;  // of slots that are not listed (any more), tokens up to this one are refused
  friend bool operator==(AgentState const&, AgentState const&) = default;
};

}  // namespace davit::model
