#include "core/service/rollout.hpp"

#include <algorithm>
#include <optional>
#include <tuple>

#include <fmt/core.h>

#include "base/check.hpp"
#include "base/planted.hpp"
#include "core/service/moving.hpp"

namespace davit::service {
namespace {

using model::FailureAction;
using model::Health;
using model::InstanceState;
using model::Reason;
using model::RolloutState;

struct Failure {
  Reason reason = Reason::None;
  std::string message;
  bool is_tried_again = false;  // at this moment: it may yet come out well
};

class Step {
 public:
  Step(model::Head const& head, Terms const& terms, Draft& draft, Now now) : head_(head), terms_(terms), draft_(draft), now_(now) {
    // Of a revision that this rollout made, every instance is its own. A rollback, or a rollout that was resumed, finds others.
    owns_all_ = head.revisions.at(head.revision).created_at == head.rollout.since;
    auto const ago = std::max<Duration>(now.wall - head.rollout.since, Duration::zero());
    began_ = owns_all_ ? Monotonic::min() : now.monotonic - ago;
  }

  void run() {
    sort();
    bool const is_paused = head_.rollout.state == RolloutState::Paused;
    if (!is_paused && fails_too_much()) return react();
    floor_ = floor();
    for (auto const* slot : done_) finish(*slot);
    for (auto const* slot : begun_) advance(*slot);
    for (auto const* slot : failing_) advance(*slot);
    if (is_paused) return move_off(terms_, draft_);
    begin();
    conclude();
  }

 private:
  // ---- which slot is where

  void sort() {
    auto const is_any = [&](auto const& predicate) {
      return std::ranges::any_of(draft_.slots(),
                                 [&](Slot const& slot) { return !slot.current.empty() && predicate(*slot.current.front()); });
    };
    bool const is_any_settled = is_any([this](Instance const& next) { return is_settled(next) || next.has_settled(); });
    bool const is_any_placed = is_any([](Instance const& next) { return next.node != kNoNode; });
    for (auto const& slot : draft_.slots()) {
      if (slot.current.empty()) sort_old(slot);
      else if (is_settled(*slot.current.front()) || slot.current.front()->has_settled()) done_.push_back(&slot);
      else if (is_homeless(slot, is_any_settled)) sort_homeless(slot, is_any_settled || is_any_placed);
      else if (auto failure = failure_of(slot)) fail(slot, *std::move(failure));
      else begun_.push_back(&slot);
    }
  }

  // It waits as it did before the rollout. One that has lost its node since counts as such once the revision has stood its test elsewhere;
  // one that was stopped for the rollout never: it could go back.
  static bool is_homeless(Slot const& slot, bool is_any_settled) {
    auto const& next = *slot.current.front();
    auto const before = next.detail->rare->before;
    bool const may_be = before == Departure::None || (before == Departure::Lost && is_any_settled);
    return may_be && slot.outdated.empty() && slot.stopping == 0 && waits_for_room(next);
  }

  // Nothing waits for it, unless no other slot finds a node either: that is the revision's failure.
  void sort_homeless(Slot const& slot, bool do_others_fit) {
    ++homeless_;
    if (do_others_fit) return;
    if (auto failure = failure_of(slot)) fail(slot, *std::move(failure));
    else ++in_vain_;
  }

  void sort_old(Slot const& slot) {
    if (slot.outdated.empty()) return begun_.push_back(&slot);
    if (std::ranges::all_of(slot.outdated, [](Instance const* old) { return bool(old->is_unknown); })) ++out_of_reach_;
    else if (is_stranded(slot)) stranded_.push_back(&slot);
    else waiting_.push_back(&slot);
    if (has_no_node(slot)) ++homeless_;
  }

  // It would have to stop first, and nothing could follow it.
  bool is_stranded(Slot const& slot) const {
    auto const is_stuck = [](Instance const* old) { return !may_serve(*old) || old->is_stranded(); };
    return !terms_.is_start_first && slot.old_may_serve() && std::ranges::all_of(slot.outdated, is_stuck);
  }

  // What has a node while it is pending has only its slot to claim yet. One that a rollout has emptied is first, since it serves nobody.
  static bool has_no_node(Slot const& slot) {
    return std::ranges::all_of(slot.outdated, [](Instance const* old) {
      return old->state == InstanceState::Pending && old->node == kNoNode && old->detail->rare->before != Departure::Stopped;
    });
  }

  bool is_settled(Instance const& instance) {
    if (!serves(instance)) return false;
    auto const settles_at = instance.ready_since + (planted(Bug::SettlesAtOnce) ? Duration{} : terms_.monitor);
    if (settles_at > now_.monotonic) draft_.wake_at(settles_at);
    return settles_at <= now_.monotonic;
  }

  // ---- failures

  void fail(Slot const& slot, Failure failure) {
    failing_.push_back(&slot);
    if (failure.is_tried_again) ++tried_again_;
    if (!failure_) failure_ = std::move(failure);
  }

  std::optional<Failure> failure_of(Slot const& slot) {
    for (auto const* instance : slot.current) {
      if (instance->is_unknown) continue;
      auto const& message = instance->detail->rare->message;
      auto const& rare = *instance->detail->rare;
      auto const since = rare.before == Departure::Stopped ? instance->created : std::max(instance->created, rare.placed_at);
      auto const deadline = std::max(since, began_) + terms_.progress_deadline;
      bool const is_late = deadline <= now_.monotonic && !instance->is_ready();
      if (deadline > now_.monotonic) draft_.wake_at(deadline);
      if (has_failed(*instance)) {
        return Failure{instance->reason,
                       fmt::format("{}.{} failed: {}", head_.name, slot.number, message.empty() ? "it is unhealthy" : message),
                       !is_late && is_on_its_way(*instance)};
      }
      if (is_late) {
        auto const limit = format_duration(terms_.progress_deadline);
        return Failure{Reason::StartTimeout, fmt::format("{}.{} was not ready within {}{}{}", head_.name, slot.number, limit,
                                                         message.empty() ? "" : ": ", message)};
      }
    }
    return std::nullopt;
  }

  // What befell an instance before the rollout began, or was resumed, is no verdict on its revision.
  bool has_failed(Instance const& instance) const {
    if (instance.was_downed && instance.failures <= 1) return false;  // it ended with its node
    bool const is_own = owns_all_ || instance.detail->created_at >= head_.rollout.since;
    if (is_own && instance.failures > 0) return true;
    if (instance.health == Health::Unhealthy) return true;
    if (instance.reason == Reason::LeaseEnded) return false;  // that was the node's, or the network's
    return instance.state == InstanceState::Failed && (is_own || instance.detail->state_since > head_.rollout.since);
  }

  static bool is_on_its_way(Instance const& instance) {
    auto const state = instance.state;
    bool const is_starting = state == InstanceState::Preparing || state == InstanceState::Starting;
    return is_starting || (state == InstanceState::Running && instance.health != Health::Unhealthy);
  }

  bool fails_too_much() const {
    auto const borne = terms_.max_failure_ratio * static_cast<double>(draft_.slots().size());
    return terms_.failure_action != FailureAction::Continue && static_cast<double>(failing_.size()) > borne;
  }

  // A rollback that fails, and a service that nothing was ever in place of, can only pause.
  void react() {
    auto const back_to = model::revision_in_place(head_);
    bool const can_go_back = back_to != head_.revision && head_.revisions.contains(back_to);
    if (terms_.failure_action != FailureAction::Rollback || !can_go_back) {
      draft_.plan().decision = model::RolloutStopped{failure_->reason, failure_->message};
      return;
    }
    auto back = roll_back(head_, back_to);
    back.is_automatic = true;
    back.reason = failure_->reason;
    back.message = failure_->message;
    draft_.plan().decision = std::move(back);
  }

  // ---- what to do

  // How many instances must go on serving.
  std::size_t floor() const {
    if (planted(Bug::IgnoresFloor)) return 0;
    auto const is_cramped = [](Slot const* slot) { return !slot->current.empty() && waits_for_room(*slot->current.front()); };
    bool const gives_way = terms_.may_give_way && std::ranges::any_of(begun_, is_cramped);
    auto const housed = draft_.slots().size() - homeless_;
    if (terms_.is_start_first && !gives_way) return housed;
    auto const all_but_one = housed > 0 ? housed - 1 : 0;  // with fewer than it may spare the service would never be updated
    return std::min(draft_.slots().size() - terms_.parallelism, all_but_one);
  }

  // One whose agent has not answered may serve: it is missed like one that does, and makes up for none.
  bool stop_within_floor(Instance const& old) {
    auto const others = draft_.serving() - (serves(old) ? 1 : 0);
    if (may_serve(old) && others < floor_) return false;
    draft_.stop(old, Reason::Replaced);
    return true;
  }

  void finish(Slot const& slot) {
    auto const& instance = *slot.current.front();
    bool stops_any = false;
    // If it does not serve it has settled before: what has befallen it since is the restart policy's affair.
    if (serves(instance)) {
      for (auto const* old : slot.outdated) stops_any |= stop_within_floor(*old);
    }
    auto const settled_at = instance.has_settled() ? instance.detail->rare->settled_at : instance.ready_since + terms_.monitor;
    if (stops_any) ++in_progress_;
    else rest(settled_at);
  }

  // A slot of which it is known how it has come out holds its turn for `delay` more.
  void rest(Monotonic known_at) {
    auto const until = known_at + terms_.delay;
    if (until <= now_.monotonic) return;
    ++resting_;
    if (!waiting_.empty()) draft_.wake_at(until);
  }

  // An old instance that does not serve need not wait for its successor; nor one that keeps it from fitting on any node, nor, where the
  // old one goes first, one that has come back with its node before its successor found one.
  void advance(Slot const& slot) {
    if (slot.is_empty()) draft_.fill(slot);
    auto const* next = slot.current.empty() ? nullptr : slot.current.front();
    bool const has_no_node = next && next->state == InstanceState::Pending && next->node == kNoNode;
    bool const is_in_the_way = has_no_node && (!terms_.is_start_first || (terms_.may_give_way && waits_for_room(*next)));
    for (auto const* old : slot.outdated) {
      if (!may_serve(*old)) draft_.stop(*old, Reason::Replaced);
      else if (is_in_the_way && !old->is_stranded() && !old->is_held) stop_within_floor(*old);
    }
  }

  // Those that do not serve first, then by number; last those that never found a node.
  void begin() {
    in_progress_ += begun_.size();
    for (auto const* slot : failing_) rest(slot->current.front()->created + terms_.monitor);
    std::ranges::sort(waiting_, {}, [](Slot const* slot) { return std::tuple(has_no_node(*slot), slot->old_may_serve(), slot->number); });
    auto const busy = in_progress_ + resting_;
    auto turns = terms_.parallelism > busy ? terms_.parallelism - busy : 0;
    has_turns_ = turns > 0;
    for (auto const* slot : waiting_) {
      if (turns == 0) return;
      // The room for its next instance is another slot's at this moment.
      bool const is_held = std::ranges::any_of(
          slot->outdated, [](Instance const* old) { return old->is_held && (may_serve(*old) || old->node == kNoNode); });
      if (is_held || !replace(*slot)) continue;
      --turns;
      ++in_progress_;
    }
  }

  // False: the service cannot do without it now.
  bool replace(Slot const& slot) {
    bool const may_serve = slot.old_may_serve();
    if (may_serve && terms_.is_start_first) {
      draft_.place(slot);
      return true;
    }
    auto const serving = static_cast<std::size_t>(std::ranges::count_if(slot.outdated, [](Instance const* old) { return serves(*old); }));
    if (may_serve && draft_.serving() < floor_ + serving) return false;
    draft_.stop_all(slot.outdated);
    if (!may_serve && terms_.is_start_first) draft_.place(slot);
    return true;
  }

  // Over when nothing is under way and nothing more can be begun. With failures that is a partial end. Without, what stands in the way
  // has to end within the progress deadline.
  void conclude() {
    bool const waits_for_turn = !waiting_.empty() && !has_turns_;
    if (in_progress_ > 0 || in_vain_ > 0 || tried_again_ > 0 || out_of_reach_ > 0 || waits_for_turn) return;
    bool const is_stuck = !stranded_.empty() && has_been_stranded();
    if (!stranded_.empty() && !is_stuck) return;
    if (failing_.empty() && (is_stuck || !waiting_.empty())) {
      if (!waiting_.empty() && !has_waited_in_vain()) return;
      if (terms_.failure_action != FailureAction::Continue) return react();
    }
    auto& decision = draft_.plan().decision;
    if (!failure_) decision = model::RolloutCompleted{};
    else decision = model::RolloutCompleted{true, failure_->reason, failure_->message};
  }

  // One that has settled does not serve any more, and the service cannot do without another one before it does.
  bool has_waited_in_vain() {
    for (auto const* slot : done_) {
      auto const& instance = *slot->current.front();
      if (serves(instance) || instance.is_unknown) continue;
      auto const deadline = std::max(last_begun(), instance.detail->rare->served_until) + terms_.progress_deadline;
      if (deadline > now_.monotonic) {
        draft_.wake_at(deadline);
        continue;
      }
      auto const& message = instance.detail->rare->message;
      failure_ = Failure{instance.reason == Reason::None ? Reason::StartTimeout : instance.reason,
                         fmt::format("{}.{} does not serve any more, and the others wait for it: nothing went on within {}{}{}", head_.name,
                                     slot->number, format_duration(terms_.progress_deadline), message.empty() ? "" : ": ", message)};
      return true;
    }
    return false;
  }

  // All of them, for as long as anything may wait: a moment in which nodes do not answer is none.
  bool has_been_stranded() {
    auto since = last_begun();
    for (auto const* slot : stranded_) {
      for (auto const* old : slot->outdated) {
        if (old->is_stranded()) since = std::max(since, old->detail->rare->stranded_since);
      }
    }
    auto const deadline = since + terms_.progress_deadline;
    if (deadline > now_.monotonic) return draft_.wake_at(deadline), false;
    if (!failure_)
      failure_ = Failure{Reason::NoNodeFits,
                         fmt::format("{}.{} would have to stop first, and no node would take the next one: davit service explain {}",
                                     head_.name, stranded_.front()->number, head_.name)};
    return true;
  }

  Monotonic last_begun() const {
    auto last = began_;
    for (auto const& slot : draft_.slots()) {
      for (auto const* instance : slot.current) last = std::max(last, instance->created);
    }
    return last;
  }

  model::Head const& head_;
  Terms const& terms_;
  Draft& draft_;
  Now now_;
  bool owns_all_ = false;
  Monotonic began_{};
  std::vector<Slot const*> done_;
  std::vector<Slot const*> begun_;  // a new instance is on its way, or wanted
  std::vector<Slot const*> failing_;
  std::vector<Slot const*> waiting_;
  std::vector<Slot const*> stranded_;  // serve on as they are: nothing could follow their instances
  std::size_t tried_again_ = 0;  // failing slots whose instance is being restarted
  std::size_t out_of_reach_ = 0;  // all of the slot is on nodes that have not answered: nothing can be done about it now
  std::size_t homeless_ = 0;  // no node has room for the slot: it need not serve
  std::size_t in_vain_ = 0;  // homeless at the new revision, which no other slot has found a node for either: the end waits for them
  std::optional<Failure> failure_;  // of the first failing slot
  std::size_t floor_ = 0;
  std::size_t in_progress_ = 0;
  std::size_t resting_ = 0;  // done, or failing, and holding its turn for `delay`
  bool has_turns_ = false;
};

}  // namespace

void roll(model::Head const& head, Terms const& terms, Draft& draft, Now now) {
  CHECK(head.rollout.is_under_way(), "service {}", head.name);
  Step(head, terms, draft, now).run();
}

model::RolledBack roll_back(model::Head const& head, std::uint32_t revision) {
  auto spec = *head.revisions.at(revision).spec;
  if (!planted(Bug::RollbackScales)) spec.instances = head.spec()->instances;
  return {.to_revision = revision, .spec = std::make_shared<model::ServiceSpec const>(std::move(spec))};
}

}  // namespace davit::service
