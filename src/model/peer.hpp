// What masters say to each other: commands on their way to the one that decides, and words to and from agents that a master
// cannot reach by itself (protocol.md §5.4). The same epochs hold on every way.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "model/command.hpp"
#include "model/link.hpp"

namespace davit::model {

// `id` is the sender's; answered by ForwardAnswered.
struct Forward {
  std::uint64_t id = 0;
  std::variant<Command, NodeCommand> command;
};
struct ForwardAnswered {
  std::uint64_t id = 0;
  Result<Applied> outcome;
  bool is_elsewhere = false;  // the receiver does not decide this: ask the one who does
};
// The agents that are connected to the sender; after each change.
struct Hears {
  std::vector<NodeId> nodes;  // ascending
};
// Pass on what this agent says, or no more.
struct Subscribe {
  NodeId node;
  bool is_wanted = true;
};
struct RelayToAgent {
  NodeId node;
  ToAgent message;
};
struct RelayFromAgent {
  NodeId node;
  ToMaster message;
};

// Something for this agent was not sent, since it had waited for too long.
struct RelayDropped {
  NodeId node;
};

using PeerMessage = std::variant<Forward, ForwardAnswered, Hears, Subscribe, RelayToAgent, RelayFromAgent, RelayDropped>;

}  // namespace davit::model
