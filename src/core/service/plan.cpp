#include "core/service/plan.hpp"

#include <algorithm>
#include <functional>
#include <tuple>

#include <fmt/core.h>

#include "model/spec.hpp"

namespace davit::service {
namespace {

using model::InstanceState;
using model::Reason;
using model::RolloutState;

struct Slot {
  std::uint32_t number = 0;
  std::vector<Instance const*> current;   // of the wanted revision, not asked to stop
  std::vector<Instance const*> outdated;  // of another one, not asked to stop
  std::size_t stopping = 0;
};

// Failures of an instance that is older than the rollout count only while it does not serve.
bool has_failed(Instance const& instance, model::Rollout const& rollout) {
  bool const is_new = instance.detail->created_at >= rollout.since;
  if (instance.failures > 0 && (is_new || !instance.is_ready())) return true;
  return instance.state == InstanceState::Failed || instance.health == model::Health::Unhealthy;
}

// Ready, then older, then the smaller id: the one of several that stays.
bool is_better(Instance const* a, Instance const* b) {
  if (a->is_ready() != b->is_ready()) return a->is_ready();
  if (a->created != b->created) return a->created < b->created;
  return a->id < b->id;
}

// Reasons that end when another instance leaves its node.
bool needs_room(Reason reason) {
  return reason == Reason::NotEnoughCpu || reason == Reason::NotEnoughMemory || reason == Reason::HostPortInUse ||
         reason == Reason::PortsExhausted || reason == Reason::MaxPerNode;
}

class Planner {
 public:
  Planner(model::Head const& head, std::span<Instance const> instances, Monotonic now)
      : head_(head),
        spec_(*head.spec()),
        instances_(instances),
        now_(now),
        is_rolling_(head.rollout.state == RolloutState::Active) {
    auto const& config = spec_.update_config;
    bool const can_overlap = can_start_first(spec_);
    is_start_first_ = config.order == model::UpdateOrder::Auto ? can_overlap : config.order == model::UpdateOrder::StartFirst;
    reuses_slot_at_once_ = can_overlap;
  }

  Plan run() {
    if (head_.removing) {
      stop_all(0, Reason::ServiceRemoved);
      plan_.is_removed = instances_.empty();
      return std::move(plan_);
    }
    stop_all(static_cast<std::uint32_t>(spec_.instances), Reason::ScaledDown);
    sort_into_slots();
    for (auto& slot : slots_) {
      keep_best(slot.current);
      keep_best(slot.outdated);
    }
    if (is_rolling_) {
      roll();
    } else {
      for (auto& slot : slots_) settle(slot);
    }
    return std::move(plan_);
  }

 private:
  void stop(Instance const& instance, Reason reason) {
    if (!instance.stop_sent) plan_.stop.push_back({instance.id, instance.slot, reason});
  }
  void stop_all(std::uint32_t above_slot, Reason reason) {
    for (auto const& instance : instances_) {
      if (instance.slot > above_slot) stop(instance, reason);
    }
  }

  void sort_into_slots() {
    slots_.resize(static_cast<std::size_t>(spec_.instances));
    for (std::uint32_t i = 0; i < slots_.size(); ++i) slots_[i].number = i + 1;
    for (auto const& instance : instances_) {
      if (instance.slot == 0 || instance.slot > slots_.size()) continue;
      auto& slot = slots_[instance.slot - 1];
      bool const waits_for_nothing = !is_rolling_ && instance.state == InstanceState::Pending && instance.revision != head_.revision;
      if (waits_for_nothing) stop(instance, Reason::Replaced);
      else if (instance.stop_sent) ++slot.stopping;
      else (instance.revision == head_.revision ? slot.current : slot.outdated).push_back(&instance);
    }
  }

  // Several of one slot are left over from a cut, or from a rollout that another one overtook: the losers go once the winner serves.
  void keep_best(std::vector<Instance const*>& rivals) {
    if (rivals.size() < 2) return;
    drop_idle_strays(rivals);
    std::ranges::sort(rivals, is_better);
    if (!rivals.front()->is_ready() || rivals.front()->is_unknown) return;
    for (std::size_t i = 1; i < rivals.size(); ++i) stop(*rivals[i], Reason::Replaced);
    rivals.resize(1);
  }

  // What dead processes had asked the engine to create need not be started to be stopped: one is enough, none beside another.
  void drop_idle_strays(std::vector<Instance const*>& rivals) {
    auto const is_idle = [](Instance const* each) { return !each->is_confirmed && each->state == InstanceState::Starting; };
    auto const strays = std::ranges::partition(rivals, std::not_fn(is_idle));
    bool const is_all_there_is = strays.begin() == rivals.begin();
    auto const first = strays.begin() + (is_all_there_is ? 1 : 0);
    for (auto stray = first; stray != rivals.end(); ++stray) stop(**stray, Reason::Replaced);
    rivals.erase(first, rivals.end());
  }

  void place(Slot const& slot) {
    if (slot.stopping > 0 && !reuses_slot_at_once_) return;  // its port or volume is still held
    plan_.place.push_back(slot.number);
  }

  // No rollout is under way: a slot wants one instance. Those of another revision stay where a stopped rollout left them; where
  // none has stopped, they come from a life before (a create that outlived its process, a node that was away), and go.
  void settle(Slot const& slot) {
    if (slot.current.empty() && slot.outdated.empty()) return place(slot);
    if (slot.outdated.empty()) return;
    bool const is_stopped = head_.rollout.state == RolloutState::Stopped;
    bool const new_serves = !slot.current.empty() && slot.current.front()->is_ready() && !slot.current.front()->is_unknown;
    bool const old_serves = std::ranges::any_of(slot.outdated, &Instance::is_ready);
    if (is_stopped && slot.current.empty()) return;
    if (new_serves || (!is_stopped && (!old_serves || !is_start_first_))) {
      for (auto const* old : slot.outdated) stop(*old, Reason::Replaced);
    } else if (is_stopped && old_serves) {
      for (auto const* failed : slot.current) stop(*failed, Reason::Replaced);
    }
    if (!is_stopped && slot.current.empty() && is_start_first_) place(slot);
  }

  bool is_settled(Instance const& instance) {
    if (!instance.is_ready() || instance.is_unknown) return false;
    auto const settled_at = instance.ready_since + spec_.update_config.monitor;
    if (settled_at > now_) plan_.wake_at = std::min(plan_.wake_at, settled_at);
    return settled_at <= now_;
  }

  // What makes the rollout go no further, if anything does.
  std::optional<model::RolloutStopped> failure_of(Slot const& slot) {
    for (auto const* instance : slot.current) {
      if (has_failed(*instance, head_.rollout)) {
        auto const& message = instance->detail->message;
        return model::RolloutStopped{
            instance->reason, fmt::format("{}.{} failed: {}", head_.name, slot.number, message.empty() ? "it is unhealthy" : message)};
      }
      if (instance->is_ready()) continue;
      auto const deadline = instance->created + spec_.update_config.progress_deadline;
      if (deadline <= now_) {
        auto const limit = format_duration(spec_.update_config.progress_deadline);
        return model::RolloutStopped{Reason::StartTimeout, fmt::format("{}.{} was not ready within {}: {}", head_.name, slot.number, limit,
                                                                       instance->detail->message)};
      }
      plan_.wake_at = std::min(plan_.wake_at, deadline);
    }
    return std::nullopt;
  }

  // There is room for fewer instances than are wanted: nothing that the rollout could do about it.
  static bool waits_for_room(Slot const& slot) {
    if (slot.current.empty() || !slot.outdated.empty() || slot.stopping > 0) return false;
    auto const& instance = *slot.current.front();
    return instance.state == InstanceState::Pending && needs_room(instance.reason);
  }

  void roll() {
    std::vector<Slot*> waiting;
    std::size_t in_progress = 0;
    bool const fits_somewhere =
        std::ranges::any_of(slots_, [&](Slot const& slot) { return !slot.current.empty() && is_settled(*slot.current.front()); });
    for (auto& slot : slots_) {
      if (fits_somewhere && waits_for_room(slot)) continue;  // as it did before, and will after
      if (auto failure = failure_of(slot)) {
        plan_.decision = *std::move(failure);
        return;
      }
      bool const is_settled_now = !slot.current.empty() && is_settled(*slot.current.front());
      if (is_settled_now) {
        for (auto const* old : slot.outdated) stop(*old, Reason::Replaced);
        if (!slot.outdated.empty()) ++in_progress;
      } else if (!slot.current.empty()) {
        ++in_progress;
        stop_useless(slot);
      } else if (slot.outdated.empty()) {
        ++in_progress;
        place(slot);
      } else {
        waiting.push_back(&slot);
      }
    }
    if (in_progress == 0 && waiting.empty()) {
      plan_.decision = model::RolloutCompleted{};
      return;
    }
    start_replacing(waiting, in_progress);
  }

  // An old instance that does not serve need not wait for its successor; nor one that keeps it from fitting on any node,
  // unless the user insists on start-first.
  void stop_useless(Slot const& slot) {
    auto const& successor = *slot.current.front();
    bool const is_in_the_way =
        successor.state == InstanceState::Pending && needs_room(successor.reason) && spec_.update_config.order == model::UpdateOrder::Auto;
    for (auto const* old : slot.outdated) {
      if (!old->is_ready() || is_in_the_way) stop(*old, Reason::Replaced);
    }
  }

  // Those that do not serve first, then by number; last those that never found a node.
  void start_replacing(std::vector<Slot*>& waiting, std::size_t in_progress) {
    auto const serves = [](Slot const* slot) { return std::ranges::any_of(slot->outdated, &Instance::is_ready); };
    auto const runs_nowhere = [](Slot const* slot) {
      return std::ranges::all_of(slot->outdated, [](Instance const* old) { return old->state == InstanceState::Pending; });
    };
    std::ranges::sort(waiting, std::less{}, [&](Slot const* slot) { return std::tuple(runs_nowhere(slot), serves(slot), slot->number); });
    auto const parallelism =
        spec_.update_config.parallelism == 0 ? slots_.size() : static_cast<std::size_t>(spec_.update_config.parallelism);
    for (auto* slot : waiting) {
      if (in_progress++ >= parallelism) return;
      bool const overlaps = is_start_first_ && serves(slot);
      if (overlaps) {
        place(*slot);
        continue;
      }
      for (auto const* old : slot->outdated) stop(*old, Reason::Replaced);
      if (reuses_slot_at_once_ && !serves(slot)) plan_.place.push_back(slot->number);
    }
  }

  model::Head const& head_;
  model::ServiceSpec const& spec_;
  std::span<Instance const> instances_;
  Monotonic now_;
  bool is_rolling_;
  bool is_start_first_ = false;
  bool reuses_slot_at_once_ = false;  // a slot's next instance need not wait until the last one is gone
  std::vector<Slot> slots_;
  Plan plan_;
};

}  // namespace

Plan plan(model::Head const& head, std::span<Instance const> instances, Monotonic now) { return Planner(head, instances, now).run(); }

}  // namespace davit::service
