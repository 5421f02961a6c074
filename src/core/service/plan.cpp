#include "core/service/plan.hpp"

#include <algorithm>

#include "core/service/draft.hpp"
#include "core/service/moving.hpp"
#include "core/service/rollout.hpp"
#include "core/service/terms.hpp"

namespace davit::service {
namespace {

using model::RolloutState;

// No rollout is under way: a slot wants one instance. Those of another revision stay where a rollout that failed left them; where
// none has, they come from a life before (a create that outlived its process, a node that was away), and go.
void settle(Slot const& slot, bool has_failed_rollout, bool is_start_first, Draft& draft) {
  if (slot.is_empty()) return draft.fill(slot);
  if (slot.outdated.empty() || (has_failed_rollout && slot.current.empty())) return;
  bool const new_serves = !slot.current.empty() && serves(*slot.current.front());
  bool const old_serves = slot.old_may_serve();
  bool const goes_first = !is_start_first && (slot.current.empty() || !slot.current.front()->is_unknown);
  if (new_serves || (!has_failed_rollout && (!old_serves || goes_first))) {
    draft.stop_all(slot.outdated);
  } else if (has_failed_rollout && old_serves) {
    // Of two whose agents have not answered either may be the one that serves.
    bool const does_old_serve = std::ranges::any_of(slot.outdated, [](auto const* old) { return serves(*old); });
    for (auto const* each : slot.current) {
      if (does_old_serve || !may_serve(*each)) draft.stop(*each, model::Reason::Replaced);
    }
  } else if (has_failed_rollout) {
    for (auto const* old : slot.outdated) {
      if (old->state == model::InstanceState::Pending) draft.stop(*old, model::Reason::Replaced);
    }
  }
  if (!has_failed_rollout && slot.current.empty() && is_start_first) draft.place(slot);
}

}  // namespace

Plan plan(model::Head const& head, InstanceRefs const& instances, Now now) {
  auto const terms = terms_of(head);
  Draft draft(head, terms, instances);
  if (head.removing) {
    draft.plan().is_removed = instances.empty();
  } else if (head.rollout.is_under_way()) {
    roll(head, terms, draft, now);
  } else {
    bool const has_failed = head.rollout.state == RolloutState::Stopped || head.rollout.state == RolloutState::Incomplete;
    for (auto const& slot : draft.slots()) settle(slot, has_failed, terms.is_start_first, draft);
    move_off(terms, draft);
  }
  return std::move(draft.plan());
}

}  // namespace davit::service
