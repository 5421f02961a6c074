// Why an instance has no node, in words: for each node what keeps it off, and what would have to be otherwise. And which node one more
// would get, and why that one. Pure; O(n) of the nodes, or O(n log n).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/placement/filter.hpp"
#include "core/placement/index.hpp"

namespace davit::placement {

struct Verdict {
  NodeIx node = kNoNode;
  std::optional<Filter> filter;  // the first that rejects; none: it fits
  std::string detail;            // what it lacks; of one that fits, what its place in the order comes from
  std::optional<double> score;   // of a node that fits: 1 is the best
};
// Those that fit come first, in the order in which they would be chosen.
std::vector<Verdict> judge(Index const& index, Search const& search);

// The smallest changes, each of which would do alone: "reservation 1.2g", "davit node activate n3".
std::vector<std::string> would_fit(Index const& index, Search const& search);

// Whether it ends when another instance leaves the node.
bool is_for_room(model::Reason reason);

// "no node fits: 2 constraint, 1 memory; davit service explain db". The reason is the nodes' own if they all have the same.
struct Shortfall {
  model::Reason reason = model::Reason::NoNodeFits;
  std::string message;
  bool lacks_room = false;  // on some node, once another instance leaves it, this one would fit
  friend bool operator==(Shortfall const&, Shortfall const&) = default;
};
Shortfall shortfall(Index const& index, Search const& search, std::string_view service);

}  // namespace davit::placement
