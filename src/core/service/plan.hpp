// plan(): from what a service should be and what its agents report to what must be done next. Pure; the whole of
// placing, scaling, rolling out and removing follows from calling it again after each change.
//
// The sets that it sorts instances into are in draft.hpp, a rollout's step in rollout.hpp, the terms it goes by in terms.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.hpp"
#include "core/service/instances.hpp"
#include "model/journal.hpp"

namespace davit::service {

struct StopOrder {
  InstanceId id;
  std::uint32_t slot = 0;
  model::Reason reason = model::Reason::None;
  friend bool operator==(StopOrder const&, StopOrder const&) = default;
};

// A new instance of the slot, of an earlier revision than the current one.
struct Successor {
  std::uint32_t slot = 0;
  std::uint32_t revision = 0;
  friend bool operator==(Successor const&, Successor const&) = default;
};

struct Plan {
  std::vector<std::uint32_t> place;  // slots that get a new instance of the current revision
  std::vector<Successor> place_earlier;
  std::vector<StopOrder> stop;
  std::optional<model::EventBody> decision;  // to be journalled
  bool is_removed = false;                   // nothing is left of a service that was to be removed
  Monotonic wake_at = kNever;                // plan again then, if nothing happens before
};

// `instances` in InOrder.
Plan plan(model::Head const& head, InstanceRefs const& instances, Now now);

}  // namespace davit::service
