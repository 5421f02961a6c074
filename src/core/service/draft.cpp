#include "core/service/draft.hpp"

#include <algorithm>
#include <functional>

#include "base/planted.hpp"

namespace davit::service {
namespace {

using model::InstanceState;
using model::Reason;

// Ready, then on a node that it need not leave, then not given up meanwhile, then older, then the smaller id: the one of several that
// stays.
bool is_better(Instance const* a, Instance const* b) {
  if (a->is_ready() != b->is_ready()) return a->is_ready();
  if (a->is_leaving != b->is_leaving) return b->is_leaving;
  if (a->was_downed != b->was_downed) return b->was_downed;
  if (a->created != b->created) return a->created < b->created;
  return a->id < b->id;
}

}  // namespace

bool waits_for_room(Instance const& instance) { return instance.state == InstanceState::Pending && instance.lacks_room; }

bool Slot::old_may_serve() const {
  return std::ranges::any_of(outdated, [](Instance const* old) { return may_serve(*old); });
}

Draft::Draft(model::Head const& head, Terms const& terms, InstanceRefs const& instances) : head_(head), terms_(terms) {
  auto const wanted = static_cast<std::uint32_t>(head.removing ? 0 : head.spec()->instances);
  slots_.resize(wanted);
  for (std::uint32_t i = 0; i < wanted; ++i) slots_[i].number = i + 1;
  sort_into_slots(instances);
  for (auto& slot : slots_) {
    keep_best(slot.current);
    keep_best(slot.outdated);
  }
}

void Draft::stop(Instance const& instance, Reason reason) {
  if (instance.stop_sent) return;
  plan_.stop.push_back({instance.id, instance.slot, reason});
  if (instance.slot <= slots_.size() && serves(instance)) --serving_;
}

void Draft::stop_all(std::span<Instance const* const> instances) {
  for (auto const* instance : instances) stop(*instance, Reason::Replaced);
}

void Draft::place(Slot const& slot) {
  if (slot.stopping == 0 || terms_.is_start_first) plan_.place.push_back(slot.number);
}

bool Draft::fills_with_earlier() const {
  using model::RolloutState;
  bool const is_held_up = head_.rollout.state == RolloutState::Paused || head_.rollout.state == RolloutState::Stopped;
  auto const in_place = model::revision_in_place(head_);
  return is_held_up && in_place != head_.revision && head_.revisions.contains(in_place);
}

void Draft::fill(Slot const& slot) {
  if (!fills_with_earlier()) place(slot);
  else if (slot.stopping == 0 || terms_.is_start_first) plan_.place_earlier.push_back({slot.number, model::revision_in_place(head_)});
}

void Draft::place_beside(Slot const& slot, Instance const& old) {
  if (old.revision == head_.revision) plan_.place.push_back(slot.number);
  else plan_.place_earlier.push_back({slot.number, old.revision});
}

bool Draft::may_outdated_stay() const { return head_.rollout.is_under_way() || may_stay_at_earlier(head_.rollout); }

bool Draft::may_have_successor(Instance const& old) const {
  if (!may_outdated_stay()) return false;
  auto const kept = head_.revisions.find(old.revision);
  return kept != head_.revisions.end() && moving_of(*kept->second.spec) == Moving::StartFirst;
}

// Those of one slot follow each other.
void Draft::sort_into_slots(InstanceRefs const& instances) {
  current_.reserve(instances.size());  // once, so that they stay where they are
  outdated_.reserve(instances.size());
  auto const add = [](std::vector<Instance const*>& all, std::span<Instance const*>& of_slot, Instance const& instance) {
    all.push_back(&instance);
    auto const count = of_slot.size() + 1;
    of_slot = std::span(all).last(count);
  };
  std::vector<Instance const*> surplus;
  for (auto const* each : instances) {
    auto const& instance = *each;
    if (instance.slot == 0) continue;
    if (instance.slot > slots_.size()) {
      surplus.push_back(&instance);
      continue;
    }
    auto& slot = slots_[instance.slot - 1];
    bool const is_current = instance.revision == head_.revision;
    bool const waits_for_nothing = instance.state == InstanceState::Pending && !is_current && !may_outdated_stay();
    if (serves(instance)) ++serving_;
    if (waits_for_nothing) stop(instance, Reason::Replaced);
    else if (instance.stop_sent) ++slot.stopping;
    else if (is_current) add(current_, slot.current, instance);
    else add(outdated_, slot.outdated, instance);
  }
  stop_surplus(surplus);
}

// One that serves stays for each slot of which nobody knows whether it is served: its agent has not answered. For a slot that is known
// not to be served none stays: its instance may wait for just that room. What is not known to serve is judged when it is.
void Draft::stop_surplus(std::span<Instance const* const> surplus) {
  auto const is_in_doubt = [](Slot const& slot) {
    auto const is_unknown = [](Instance const* each) { return bool(each->is_unknown); };
    auto const is_any = [&](auto const& predicate) {
      return std::ranges::any_of(slot.current, predicate) || std::ranges::any_of(slot.outdated, predicate);
    };
    return is_any(is_unknown) && !is_any([](Instance const* each) { return serves(*each); });
  };
  auto in_doubt = head_.removing || planted(Bug::ScalesDownBlindly) ? 0 : std::ranges::count_if(slots_, is_in_doubt);
  for (auto const* each : surplus) {
    if (each->is_unknown && !head_.removing) continue;
    if (in_doubt > 0 && serves(*each)) --in_doubt;
    else stop(*each, head_.removing ? Reason::ServiceRemoved : Reason::ScaledDown);
  }
}

// Several of one slot are left over from a cut, or from a rollout that another one overtook, or one is to leave its node: the losers go
// once the winner serves, but for the successor of one that leaves.
void Draft::keep_best(std::span<Instance const*>& rivals) {
  if (rivals.size() < 2) return;
  drop_idle_strays(rivals);
  std::ranges::sort(rivals, is_better);
  if (!serves(*rivals.front()) || planted(Bug::KeepsSurplus)) return;
  std::size_t kept = 1;
  bool const has_successor =
      rivals.size() > 1 && rivals[0]->is_leaving && !rivals[1]->is_leaving;  // in this order, the best one that stays
  if (has_successor) ++kept;
  for (std::size_t i = kept; i < rivals.size(); ++i) stop(*rivals[i], Reason::Replaced);
  rivals = rivals.first(kept);
}

// What dead processes had asked the engine to create need not be started to be stopped: one is enough, none beside another that
// stays.
void Draft::drop_idle_strays(std::span<Instance const*>& rivals) {
  auto const is_idle = [](Instance const* each) {
    return !each->is_confirmed && !each->is_unknown && each->state == InstanceState::Starting;
  };
  auto const strays = std::ranges::partition(rivals, std::not_fn(is_idle));
  if (strays.empty()) return;
  auto const is_leaving = [](Instance const* each) { return bool(each->is_leaving); };
  bool const is_all_there_is = std::all_of(rivals.begin(), strays.begin(), is_leaving);
  auto const first = strays.begin() + (is_all_there_is ? 1 : 0);
  for (auto stray = first; stray != rivals.end(); ++stray) stop(**stray, Reason::Replaced);
  rivals = rivals.first(static_cast<std::size_t>(first - rivals.begin()));
}

}  // namespace davit::service
