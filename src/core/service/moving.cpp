#include "core/service/moving.hpp"

#include <algorithm>

namespace davit::service {
namespace {

bool is_waiting_in_vain(Instance const& instance) {
  return instance.state == model::InstanceState::Pending && instance.reason != model::Reason::None;
}

// All of one revision: what a rollout has begun to replace, it moves.
std::span<Instance const*> movable(Slot const& slot) {
  if (slot.outdated.empty()) return slot.current;
  return slot.current.empty() ? slot.outdated : std::span<Instance const*>();
}

bool is_to_move(Slot const& slot) {
  auto const all = movable(slot);
  return !all.empty() && all.front()->is_leaving && !all.front()->is_unknown;
}

Instance const* successor(Slot const& slot) {
  auto const all = movable(slot);
  auto const found = std::ranges::find_if(all, [](Instance const* each) { return !each->is_leaving; });
  return found == all.end() ? nullptr : *found;
}

bool is_on_its_way(Slot const& slot, Moving moving) {
  auto const serves_any = [](auto const& all) { return std::ranges::any_of(all, [](Instance const* each) { return may_serve(*each); }); };
  if (moving == Moving::StopFirst) return !serves_any(slot.current) && !serves_any(slot.outdated);
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
    auto const& old = *movable(slot).front();
    bool const is_current = slot.outdated.empty();
    if (!is_current && (terms.moving != Moving::StartFirst || !draft.may_have_successor(old))) continue;
    bool const is_filled_alike = is_current && !draft.fills_with_earlier();  // an empty slot gets the same revision
    if (!is_filled_alike && terms.moving == Moving::StopFirst) continue;
    if (!may_serve(old)) {  // nobody misses it
      if (is_filled_alike) draft.stop(old, model::Reason::Replaced);
      else if (!successor(slot)) draft.place_beside(slot, old);
    } else if (turns > 0 && !successor(slot)) {
      --turns;
      if (terms.moving == Moving::StartFirst) draft.place_beside(slot, old);
      else draft.stop(old, model::Reason::Replaced);
    }
  }
}

}  // namespace davit::service
