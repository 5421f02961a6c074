// A node as placement sees it: what it is, and the room that is left on it. Plain data of the Index.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "core/placement/request.hpp"
#include "model/node.hpp"
#include "model/node_ix.hpp"

namespace davit::placement {

using model::kNoNode;
using model::NodeIx;

inline std::size_t to_index(NodeIx ix) { return static_cast<std::size_t>(ix); }

// What constraints speak of.
struct Traits {
  NodeId id;
  std::string name;
  std::vector<model::Role> roles;
  std::map<std::string, std::string> labels;
  std::string platform;  // "linux/amd64"
  friend bool operator==(Traits const&, Traits const&) = default;
};

struct Condition {
  bool is_member = false;  // else it is gone for good, and nobody speaks of it
  model::NodeStatus status = model::NodeStatus::Down;
  model::Availability availability = model::Availability::Active;
  bool engine_up = false;
  bool has_answered = false;  // its agent has told all that it has: only then the room is known
  Amount capacity;
  friend bool operator==(Condition const&, Condition const&) = default;
};

// Live values of the whole node.
struct Measured {
  Amount used;
  std::int64_t load = 0;       // runnable processes, in microcores
  double memory_pressure = 0;  // the share of time in which all tasks waited for memory
  friend bool operator==(Measured const&, Measured const&) = default;
};

// A placement reads and writes the room of one node out of thousands, so what it needs most stands in one line of the cache.
struct alignas(64) Room {
  Condition condition;
  Amount expected;  // use of all its instances
  Amount starting;  // use of those that do not run yet, so that no measurement shows it
  std::uint32_t instances = 0;
  bool is_worker = false;
  bool is_measured = false;

  Amount reserved;  // by its instances
  Amount fresh;     // use of those that run, but not since before the last measurement
  Measured measured;
};

}  // namespace davit::placement
