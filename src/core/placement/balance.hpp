// Which instances would be better off on another node, so that every node carries its part. Pure.
//
// It goes by what instances are expected to use, their reservations or the mean, as a share of the node: live values would move
// them to and fro. A move goes from the fuller node to one that is still the emptier one after it, that every filter lets
// through, and where no more instances of the service stand than where it comes from; so no second run takes a move back.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/ids.hpp"
#include "core/placement/index.hpp"

namespace davit::placement {

// An instance that may move. What it refers to lives as long as the call.
struct Resident {
  ServiceUid service;
  std::uint32_t slot = 0;
  InstanceId id;
  Request const* request = nullptr;
  Tally const* tally = nullptr;  // of its service
};

struct Relocation {
  Resident what;
  NodeIx from = kNoNode;
  NodeIx to = kNoNode;
};

// Whether the node that the instance would leave carries no less then than the one that gets it.
bool evens_out(Room const& from, Room const& to, Request const& request);

// At most `most`, the most useful first; fewer, too, where finding the next would take longer than a control step may.
std::vector<Relocation> balance(Index const& index, std::function<std::vector<Resident>(NodeIx)> const& residents_of, std::size_t most);

}  // namespace davit::placement
