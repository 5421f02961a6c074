#include "core/service/moving.hpp"

#include <algorithm>

namespace davit::service {
namespace {

bool is_waiting_in_vain(Instance const& instance) {
  return instance.state == model::InstanceState::Pending && instance.reason != model::Reason::None;
}

bool is_to_move(Slot const& slot) { return !slot.current.empty() && slot.current.front()->is_leaving && !slot.current.front()->is_unknown; }

Instance const* successor(Slot const& slot) {
  auto const found = std::ranges::find_if(slot.current, [](Instance const* each) { return !each->is_leaving; });
  return found == slot.current.end() ? nullptr : *found;
}

bool is_on_its_way(Slot const& slot, Moving moving) {
  if (moving == Moving::StopFirst) return slot.current.empty() || !may_serve(*slot.current.front());
  auto const* next = successor(slot);
  return is_to_move(slot) && next && !is_waiting_in_vain(*next);
}

}  // namespace

void move_off(Terms const& terms, Draft& draft) {
  if (terms.moving == Moving::Never) return;
  auto& slots = draft.slots();
  auto const moving =
      static_cast<std::size_t>(std::ranges::count_if(slots, [&](Slot const& slot) { return is_on_its_way(slot, terms.moving); }));
  auto turns = terms.parallelism > moving ? terms.parallelism - moving : 0;
  for (auto const& slot : slots) {
    if (!is_to_move(slot) || slot.stopping > 0) continue;
    auto const& old = *slot.current.front();
    if (!may_serve(old)) {
      draft.stop(old, model::Reason::Replaced);  // nobody misses it
    } else if (turns > 0 && !successor(slot)) {
      --turns;
      if (terms.moving == Moving::StartFirst) draft.place_beside(slot);
      else draft.stop(old, model::Reason::Replaced);
    }
  }
}

}  // namespace davit::service
