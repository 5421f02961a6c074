// One instance as the masters see it. A service may have 100,000 of them, so the part that planning reads is dense, and
// what only readers want is in Detail.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "core/service/packed_container.hpp"
#include "core/service/rarely.hpp"
#include "model/instance.hpp"
#include "model/node_ix.hpp"
#include "model/spec.hpp"

namespace davit::service {

using model::kNoNode;
using model::NodeIx;

// No measurement of its node shows it yet.
inline bool is_on_its_way(model::InstanceState state) {
  using enum model::InstanceState;
  return state == Pending || state == Offered || state == Preparing || state == Starting;
}

// How a slot's last instance has left its node in the rollout under way: as the rollout wanted, or otherwise.
enum class Departure : std::uint8_t { None, Stopped, Lost };

// What few instances have anything of.
struct Exceptional {
  std::string message;
  std::string previous_container;  // kept for its logs; or ""
  std::optional<std::int64_t> exit_code;
  std::optional<Wall> next_start_at;
  std::uint64_t token = 0;  // of its slot, where that must not be doubled
  Monotonic settled_at = kNever;              // when it had served for `monitor` first; kNever as long as it serves for the first time
  Monotonic stranded_since = kNever;          // its service stops first, and once it had, no node would take the next one
  Monotonic served_until = Monotonic::min();  // when its owner has seen it stop to serve last
  Monotonic placed_at = Monotonic::min();  // when the first node had room for it after it had waited for that; min: it has not waited
  Departure before = Departure::None;         // of the one before it in its slot
  friend bool operator==(Exceptional const&, Exceptional const&) = default;
};

struct Detail {
  PackedContainer container;
  std::vector<model::PublishedPort> ports;
  Wall created_at{};
  Wall state_since{};
  std::optional<Wall> started_at;
  std::uint64_t offered_in = 0;  // the last round of fences before its offer
  model::SpecRef accounted;      // the spec by which it counts on its node; null: it does not
  std::optional<model::InstanceUse> use;  // of the container that runs, once its agent has measured it
  Rarely<Exceptional> rare;
};

struct Instance {
  InstanceId id;
  Monotonic created{};
  Monotonic ready_since = kNever;  // by its agent; kNever: it is not ready
  Monotonic retry_at = kNever;     // Pending: when to look for a node again; Offered, stop sent: when to say it again
  std::unique_ptr<Detail> detail = std::make_unique<Detail>();
  std::uint32_t slot = 0;
  std::uint32_t revision = 0;
  NodeIx node = kNoNode;
  std::uint32_t restarts = 0;
  std::uint32_t failures = 0;
  model::InstanceState state = model::InstanceState::Pending;
  model::Health health = model::Health::None;
  model::Reason reason = model::Reason::None;
  bool stop_sent : 1 = false;
  bool is_confirmed : 1 = false;  // the agent knows that it goes on, and with which spec
  bool is_starting : 1 = false;   // no measurement of its node shows it yet
  bool lacks_room : 1 = false;    // Pending: it would fit once another instance leaves its node
  bool is_unknown : 1 = false;    // its agent has not answered this owner: it counts as running, and decides nothing
  bool is_leaving : 1 = false;    // its node is to be emptied: it moves elsewhere
  bool is_held : 1 = false;       // not to be replaced now: the room for its next one is another slot's
  bool was_downed : 1 = false;  // its node was declared down since: what has replaced it is to stay, and that it ended then is no failure

  // What is to stop serves nobody any more, unless another owner wants it to go on.
  bool is_ready() const { return ready_since != kNever && !stop_sent; }

  bool is_stranded() const { return detail->rare->stranded_since != kNever; }
  // It served for `monitor` once, before it ended: what befalls it later is no failure of its rollout.
  bool has_settled() const { return detail->rare->settled_at != kNever; }
};
static_assert(sizeof(Instance) <= 64);

// By slot, then by id: the order in which a service keeps its instances.
struct InOrder {
  bool operator()(Instance const& a, Instance const& b) const { return a.slot != b.slot ? a.slot < b.slot : a.id < b.id; }
};

}  // namespace davit::service
