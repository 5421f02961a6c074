// A plan while it is made: the instances of a service slot by slot, and what has been decided about them so far. What counts
// as serving is said here, once. Lives for one plan(); pure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/service/instances.hpp"
#include "core/service/plan.hpp"
#include "core/service/terms.hpp"

namespace davit::service {

// It can be taken for serving: an instance whose agent has not answered counts as running.
inline bool may_serve(Instance const& instance) { return instance.is_ready() || instance.is_unknown; }
// It serves for certain.
inline bool serves(Instance const& instance) { return instance.is_ready() && !instance.is_unknown; }
// It found no node for a reason that ends when another instance leaves its own.
bool waits_for_room(Instance const& instance);

struct Slot {
  std::uint32_t number = 0;
  std::span<Instance const*> current;   // of the wanted revision, not asked to stop; the best first
  std::span<Instance const*> outdated;  // of another one, not asked to stop
  std::size_t stopping = 0;

  bool is_empty() const { return current.empty() && outdated.empty(); }
  bool old_may_serve() const;
};

class Draft {
 public:
  // `instances` in InOrder; what is referred to must live as long as the draft.
  Draft(model::Head const& head, Terms const& terms, InstanceRefs const& instances);
  Draft(Draft const&) = delete;
  Draft& operator=(Draft const&) = delete;

  std::vector<Slot>& slots() { return slots_; }
  std::size_t serving() const { return serving_; }  // for certain, of all slots, after the stops so far
  Plan& plan() { return plan_; }

  void stop(Instance const& instance, model::Reason reason);
  void stop_all(std::span<Instance const* const> instances);  // Reason::Replaced
  // Unless the slot's last instance still holds a port or a volume that its next one needs.
  void place(Slot const& slot);
  // What has been lost of a slot that is empty: while a rollout is held up, at the revision that is known to be good.
  void fill(Slot const& slot);
  bool fills_with_earlier() const;
  // Wherever else there is room: on another node they do not get in each other's way.
  void place_beside(Slot const& slot, Instance const& old);
  // One of the same, earlier revision, beside it: where what is outdated may stay.
  bool may_have_successor(Instance const& old) const;
  void wake_at(Monotonic at) { plan_.wake_at = std::min(plan_.wake_at, at); }

 private:
  bool may_outdated_stay() const;
  void sort_into_slots(InstanceRefs const& instances);
  void stop_surplus(std::span<Instance const* const> surplus);
  void keep_best(std::span<Instance const*>& rivals);
  void drop_idle_strays(std::span<Instance const*>& rivals);

  model::Head const& head_;
  Terms const& terms_;
  std::vector<Slot> slots_;
  std::vector<Instance const*> current_;  // what the slots refer to, slot by slot
  std::vector<Instance const*> outdated_;
  std::size_t serving_ = 0;
  Plan plan_;
};

}  // namespace davit::service
