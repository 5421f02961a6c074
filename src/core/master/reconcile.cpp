// From plans to orders, and the table of instances that both sides keep.
#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/core.h>

#include "base/check.hpp"
#include "base/planted.hpp"
#include "core/cluster/tick.hpp"
#include "core/master/master.hpp"
#include "core/service/draft.hpp"
#include "core/service/plan.hpp"
#include "core/service/terms.hpp"

namespace davit::master {

using model::InstanceState;
using model::Reason;

namespace {

constexpr Duration kAnswerPoll = 500ms;
constexpr Duration kLookElsewhere = 2s;
constexpr std::size_t kLooksAtOnce = 64;  // of one service
constexpr std::size_t kNodesPerMillisecond = 1000;  // that maintain() looks at
constexpr std::size_t kInstancesPerStep = 10'000;  // about a millisecond, but for a larger service
constexpr std::size_t kInstancesPerOrder = 32;     // looked at by a plan; in the time of one order, roughly

bool is_wanted(model::Head const& head, Instance const& instance) {
  bool const is_kept = head.revisions.contains(instance.revision) && service::may_stay_at_earlier(head.rollout);
  return !head.removing && (instance.revision == head.revision || is_kept) &&
         static_cast<std::int64_t>(instance.slot) <= head.spec()->instances;
}

}  // namespace

void Master::step(Now now, Event const& event, Actions& actions) {
  now_ = now;
  out_ = &actions;
  orders_left_ = options_.orders_per_step;
  std::visit([this](auto const& each) { on(each); }, event);
  out_ = nullptr;
}

// Plans and statuses wait for the tick that follows a burst of events, so that a burst costs one plan for each service.
Monotonic Master::wake_at() const {
  Monotonic at = std::min({next_tick_, load_retry_at_, liveness_ ? liveness_->wake_at() : kNever});
  for (auto const& [op, in_flight] : in_flight_) at = std::min({at, in_flight.retry_at, in_flight.give_up_at});
  for (auto const& [id, waiting] : waiting_) at = std::min(at, waiting.try_at);
  if (!touched_.empty() || must_plan_all_) at = std::min(at, now_.monotonic);
  if (maintenance_due_) at = std::min(at, std::max(next_maintenance(), now_.monotonic));
  if (!plans_.empty()) at = std::min(at, plans_.begin()->first);
  at = std::min(at, std::max(next_telling(), now_.monotonic));
  return at;
}

void Master::on(Tick const&) {
  if (load_retry_at_ <= now_.monotonic) {
    load_retry_at_ = kNever;
    on(Started{});
  }
  bool is_pulse = false;
  if (next_tick_ <= now_.monotonic) {
    next_tick_ = now_.monotonic + cluster::kControlTick;
    if (liveness_) liveness_->on_tick(now_.monotonic);
    is_pulse = true;
  }
  if (liveness_) {
    for (auto const id : liveness_->take_changed(now_.monotonic)) touch_path(node_of(id)), maintenance_due_ = true;
  }
  if (judge_at_ <= now_.monotonic) judge_at_ = kNever, coordination_due_ = true;
  if (next_maintenance() <= now_.monotonic) {
    maintenance_due_ = false;
    is_pulse = coordination_due_ = true;
  }
  if (is_pulse) maintain();
  advance_waiting();
  retry_unknown();
  plan_all();
  reconcile_due();
  refresh_statuses();
  tell_directory();
}

// It looks at every node, so that among many it may take half of the time at most.
Monotonic Master::next_maintenance() const {
  if (!maintenance_due_) return kNever;
  return maintained_at_ + std::chrono::milliseconds(static_cast<std::int64_t>(nodes_.size() / kNodesPerMillisecond));
}

// Everything here follows from what is known now, not from what happened: it may be asked at any time.
void Master::maintain() {
  maintained_at_ = now_.monotonic;
  if (!is_loaded_) {
    if (leave_at_ != kNever) leave();  // there is nothing to hand over
    return;
  }
  keep_session();
  if (session_) {
    keep_membership();
    testify();
  }
  resume_commanding();
  keep_paths();
  count_answers();
  stop_orphans();
  measure_store();
  tell_peers_who_is_heard();
  judge_own_clock();
  if (coordination_due_) coordinate();
  if (leave_at_ != kNever) leave();
}

// The rest waits for the next step, which comes at once. Of a large service a step carries out as much as takes the time of its plan:
// with a fixed number of orders, all plans together would cost the square of its size.
void Master::reconcile_due() {
  std::size_t planned = 0;
  while (!plans_.empty() && plans_.begin()->first <= now_.monotonic && orders_left_ > 0 && planned < kInstancesPerStep) {
    auto& service = services_.at(plans_.begin()->second);
    planned += service.instances.size();
    auto const slots = service.exists() ? static_cast<std::size_t>(service.head.spec()->instances) : 0;
    orders_left_ = std::max(orders_left_, std::max(slots, service.instances.size()) / kInstancesPerOrder);
    plan_at(service, kNever);
    service.planned_at = now_.monotonic;
    reconcile(service);
  }
}

// Instances whose agent has not answered this owner count as running, but decide nothing. When to look again.
Monotonic Master::mark(Service& service) {
  end_moves(service);
  bool const stops_first = service.exists() && service::terms_of(service.head).moving == service::Moving::StopFirst;
  bool const may_look = service.placing.looked_elsewhere_at + kLookElsewhere <= now_.monotonic;
  bool looks = false;
  std::size_t looked = 0;
  auto const waits = [](Instance const& each) { return each.state == InstanceState::Pending && each.node == kNoNode; };
  bool may_stop_first = !stops_first || std::ranges::none_of(service.instances, waits);  // each asks for the same room
  for (auto& instance : service.instances) {
    auto const* at = node(instance.node);
    instance.is_unknown = at && !at->answered.test(service.shard.value) && !planted(Bug::UnansweredIsReady);
    auto const move = service.placing.moves.find(instance.slot);
    bool const is_moving = move != service.placing.moves.end() && move->second.id == instance.id;
    bool const is_drained = at && at->record.availability == model::Availability::Drain;
    bool const has_to_stop_first = is_drained && stops_first;
    bool const is_asking = has_to_stop_first || fails_too_often(service, instance);
    looks |= is_asking;
    bool const may_ask = is_asking && may_look && looked < kLooksAtOnce && (!has_to_stop_first || may_stop_first);
    looked += may_ask ? 1 : 0;
    bool const fits = may_ask && fits_elsewhere(service, instance);
    if (fits && has_to_stop_first) may_stop_first = false;
    instance.is_leaving = is_moving || (is_drained && !stops_first) || fits;
    instance.was_downed = at && at->downed_at != kNever && instance.created < at->downed_at;
  }
  if (looks && may_look) service.placing.looked_elsewhere_at = now_.monotonic;
  return looks ? service.placing.looked_elsewhere_at + kLookElsewhere : kNever;
}

// Where slots must not be doubled, their records say where each is; only instances of revisions without records need the answers.
bool Master::may_plan(Service const& service) const {
  auto const k = service.shard.value;
  auto const& epoch = shards_[k].epoch;
  bool const is_newer_than_grant = service.head.uid > ServiceUid{epoch.era, epoch.revision};
  if (is_newer_than_grant || answered_by_all_.test(k) || planted(Bug::ActsBeforeAllAnswered)) return true;
  bool const has_records = std::ranges::all_of(service.head.revisions, [&](auto const& kept) { return is_guarded(service, kept.first); });
  return has_records || (!is_guarded(service, service.head.revision) && may_place_unanswered(service.shard));
}

void Master::reconcile(Service& service) {
  if (!service.exists() || !shards_[service.shard.value].is_mine) return;
  if (!may_command()) {  // planned anew when the view is fresh again, however short the lapse
    was_commanding_ = false;
    return;
  }
  if (!may_plan(service)) return plan_at(service, now_.monotonic + kAnswerPoll);  // the last answer plans everything anew, earlier
  auto const slots_at = keep_slots(service);
  auto const& head = service.head;
  auto const slots = head.rollout.is_under_way() && !head.removing ? static_cast<std::uint32_t>(head.spec()->instances) : 0;
  std::erase_if(service.placing.departures, [&](auto const& each) { return each.first > slots; });
  if (slots == 0) service.placing.has_seen_all = true;
  auto look_at = mark(service);
  retry(service);
  if (mark_stranded(service)) look_at = std::min(look_at, now_.monotonic + kLookElsewhere);  // by what waits and what is placed since

  auto plan = service::plan(service.head, service.instances, now_);
  auto next = std::min({plan.wake_at, slots_at, look_at});
  for (auto const& order : plan.stop) {
    if (orders_left_ == 0) break;
    if (auto* instance = service.find(order.slot, order.id)) order_stop(service, *instance, order.reason);
  }
  for (auto const slot : plan.place) {
    if (orders_left_ == 0) break;
    place(service, {slot, service.head.revision});
  }
  for (auto const& successor : plan.place_earlier) {
    if (orders_left_ == 0) break;
    place(service, successor);
  }
  for (auto& instance : service.instances) {
    if (orders_left_ == 0) break;
    if (instance.is_confirmed || instance.stop_sent || instance.node == kNoNode) continue;
    auto const at = nodes_[static_cast<std::size_t>(instance.node)].confirm_at;
    if (at > now_.monotonic) next = std::min(next, at);
    else confirm(service, instance);
  }
  for (auto const& [slot, move] : service.placing.moves) next = std::min(next, move.until);
  if (orders_left_ == 0) next = now_.monotonic;
  for (auto const& instance : service.instances) next = std::min(next, instance.retry_at);
  if (next != kNever) plan_at(service, next);
  if (service.is_appending) return;
  if (plan.is_removed && !has_slots(service)) remove_records(service);
  else if (!plan.is_removed) journal_decision(service, std::move(plan.decision));
}

void Master::journal_decision(Service& service, std::optional<model::EventBody> decision) {
  if (!decision && service.seen_digest && !service.head.removing) {
    auto const seen = *std::exchange(service.seen_digest, std::nullopt);
    auto const kept = service.head.revisions.find(seen.revision);
    if (kept != service.head.revisions.end() && kept->second.digest.empty()) decision = seen;  // the first one counts
  }
  if (decision && !planted(Bug::DecidesUnwritten)) append(service, *std::move(decision), std::nullopt);
}

void Master::place(Service& service, service::Successor const& wanted) {
  auto const slot = wanted.slot;
  bool const is_taken = !service.instances.of_slot(slot).empty() || !may_claim(service, slot);
  if (is_guarded(service, wanted.revision) && is_taken) return;  // planned anew when it can
  if (!may_place_moved(service, slot)) return;
  auto const left = orders_left_;
  auto made = new_instance(service, slot);
  made.revision = wanted.revision;
  if (auto const before = departure_from(service, slot); before != service::Departure::None)
    made.detail->rare.change([&](service::Exceptional& rare) { rare.before = before; });
  auto& instance = service.instances.insert(std::move(made));
  if (auto const avoided = avoided_of(service).find(slot); avoided != service.placing.avoided.end())
    service.placing.refusals[instance.id] = avoided->second;
  offer(service, instance);
  if (orders_left_ == left) count_order();  // also when it has to wait: a step that makes 100,000 wait would be a long one
}

Instance Master::new_instance(Service const& service, std::uint32_t slot) {
  auto const epoch = fence_of(service).epoch;
  Instance instance;
  instance.id = {stable_hash(fmt::format("{}/{}/{}/{}/{}", to_string(view_.cluster.record.uid), to_string(service.head.uid), slot,
                                         to_string(epoch), next_instance_++)) &
                 InstanceId::kMask};
  instance.slot = slot;
  instance.revision = service.head.revision;
  instance.created = now_.monotonic;
  instance.detail->created_at = instance.detail->state_since = now_.wall;
  return instance;
}

// An offer and a confirmation are the same words; what they mean depends on whether the agent has the instance.
void Master::confirm(Service& service, Instance& instance) {
  if (!may_confirm(service, instance)) return;
  instance.is_confirmed = true;
  auto const kept = service.head.revisions.find(instance.revision);
  if (kept == service.head.revisions.end()) return;  // of a revision that is not kept any more: it goes on until it is replaced
  count_order();
  auto const& node = nodes_[static_cast<std::size_t>(instance.node)];
  auto const* slot = instance.detail->rare->token == 0 ? nullptr : record_of(service, instance.slot);
  instance.detail->offered_in = node.last_round;
  command(node, model::RunInstance{.fence = fence_of(service),
                                   .incarnation = node.record.incarnation,
                                   .id = instance.id,
                                   .uid = service.head.uid,
                                   .service = service.head.name,
                                   .slot = instance.slot,
                                   .revision = instance.revision,
                                   .spec = kept->second.spec,
                                   .digest = kept->second.digest,
                                   .token = slot ? slot->record.token : 0,
                                   .stop_after = slot ? slot->record.stop_after : Duration{}});
}

void Master::order_stop(Service& service, Instance& instance, Reason reason) {
  bool const is_nowhere = instance.node == kNoNode;
  if (is_nowhere && !holds_slot(service, instance)) return erase(service, instance);
  instance.stop_sent = true;
  instance.retry_at = planted(Bug::StopsOnce) ? kNever : now_.monotonic + kStopRetry;
  instance.reason = reason;
  touch(service);
  if (!is_nowhere) send_stop(service, instance, reason);
}

void Master::send_stop(Service const& service, Instance const& instance, Reason reason) {
  count_order();
  command(nodes_[static_cast<std::size_t>(instance.node)],
          model::StopInstance{fence_of(service), instance.id, service.head.uid, instance.slot, reason, instance.detail->rare->token});
}

// What waits for room is tried before the plan is made: else the room that one slot has left for its next instance goes to another slot's.
// While that next instance is still to be made by the plan, others are not tried.
void Master::retry(Service& service) {
  bool const is_room_left = std::exchange(service.placing.has_left_room, false);
  bool const are_all_due = std::exchange(service.placing.are_all_due, false);
  auto const was_emptied = [&](std::uint32_t slot) { return departure_from(service, slot) == service::Departure::Stopped; };
  bool const is_next_to_be_made = std::ranges::any_of(service.placing.departures, [&](auto const& each) {
    return each.second == service::Departure::Stopped && service.instances.of_slot(each.first).empty();
  });
  // By revision, since each asks for other nodes; and of each first those whose slot was emptied for it.
  std::vector<std::tuple<std::uint32_t, bool, std::uint32_t, InstanceId>> due;
  for (auto& instance : service.instances) {
    bool const is_wanted_again = instance.retry_at == kNever && instance.node == kNoNode && is_wanted(service.head, instance);
    bool const is_tried = are_all_due || is_wanted_again || (is_room_left && instance.lacks_room);
    if (is_tried && instance.state == InstanceState::Pending) instance.retry_at = now_.monotonic;
    if (instance.retry_at <= now_.monotonic) due.emplace_back(instance.revision, !was_emptied(instance.slot), instance.slot, instance.id);
  }
  std::ranges::sort(due);
  for (auto const& [revision, comes_later, slot, id] : due) {
    if (orders_left_ == 0) return;
    auto& instance = *service.find(slot, id);
    if (is_next_to_be_made && comes_later && service::waits_for_room(instance)) {
      instance.retry_at = now_.monotonic + kPendingRetry;
      continue;
    }
    instance.retry_at = kNever;
    if (instance.stop_sent) order_stop(service, instance, instance.reason);
    else if (instance.state == InstanceState::Offered) instance.retry_at = now_.monotonic + kOfferRetry, confirm(service, instance);
    else if (instance.state == InstanceState::Pending && is_wanted(service.head, instance)) offer(service, instance);
  }
}

void Master::plan_at(Service& service, Monotonic at) {
  if (service.plan_at != kNever && at != kNever && at >= service.plan_at) return;
  if (service.plan_at != kNever) plans_.erase({service.plan_at, service.head.name});
  service.plan_at = at;
  if (at != kNever) plans_.insert({at, service.head.name});
}

// What happens to many nodes at once costs one round of plans.
void Master::plan_all() {
  if (!std::exchange(must_plan_all_, false)) return;
  for (auto& [name, service] : services_) {
    if (!service.exists()) continue;
    service.placing.are_all_due = true;
    plan_soon(service);
  }
}

// What nothing listens on for this service, because two masters took a claim at the same time.
std::string Master::lost_ports(Service const& service) const {
  std::string all;
  if (service.head.removing) return all;
  for (auto const& port : service.head.spec()->ports) {
    auto const* older = port.mode == model::PortMode::Ingress ? older_claimant(service, port) : nullptr;
    if (!older) continue;
    all += fmt::format("{}port {}/{} is the older service {}'s: take another one", all.empty() ? "" : "; ", *port.published,
                       model::to_string(port.protocol), *older);
  }
  return all;
}

// Those of which anything is known here.
std::int64_t Master::count_slots(Service const& service) const {
  std::int64_t slots = 0;
  std::uint32_t last = 0;
  for (auto const& instance : service.instances) {
    if (instance.slot > service.status.desired) break;
    if (std::exchange(last, instance.slot) != instance.slot) ++slots;
  }
  return slots;
}

// A step that ends early is followed by one that goes on behind the last name: no service waits for ever.
void Master::refresh_statuses() {
  std::size_t counted = 0;
  while (!touched_.empty() && counted < kInstancesPerStep) {
    auto const after = touched_.upper_bound(refreshed_);
    auto const name = std::move(touched_.extract(after == touched_.end() ? touched_.begin() : after).value());
    refreshed_ = name;
    see_directory(name);
    auto const found = services_.find(name);
    if (found == services_.end() || !found->second.exists()) continue;
    auto& service = found->second;
    counted += service.instances.size();
    auto const before = std::exchange(service.status, status_of(service.head, service.instances, unreachable_));
    if (service.status.message.empty()) service.status.message = lost_ports(service);
    bool const is_converged = service.status.state == service::State::Running;
    bool const is_awaiting = acts_for(service.shard) && !answered_by_all_.test(service.shard.value);
    if (is_awaiting && !is_converged && service.status.message.empty()) {
      service.status.message = "waiting for the nodes to answer: davit node ls";
    }
    bool const is_anothers = !shards_[service.shard.value].is_mine && service.status.state == service::State::Converging;
    if (is_anothers && service.status.message.empty()) {
      auto const missing = service.status.desired - count_slots(service);
      if (missing > 0)
        service.status.message = fmt::format("{} of {} have no node: davit service explain {}", missing, service.status.desired, name);
    }
    if (is_converged && before.state != service.status.state) {
      changed({.type = "service.converged",
               .service = name,
               .revision = service.head.revision,
               .message = fmt::format("{}/{} ready", service.status.ready, service.status.desired)});
    }
  }
  if (touched_.empty()) refreshed_.clear();
}

std::vector<std::string> Master::pending() const {
  std::vector<std::string> reasons;
  if (!may_command()) reasons.push_back("the master has no valid session with a fresh view");
  if (!hold().empty()) reasons.push_back(hold());
  if ((mine_ & ~answered_by_all_).any()) reasons.push_back("a worker has not answered its fence");
  for (auto const& [id, waiting] : waiting_) reasons.push_back(fmt::format("command {} waits for its owner", id));
  for (auto const& [op, in_flight] : in_flight_) reasons.push_back(fmt::format("write {} is in flight", op));
  for (auto const& [name, service] : services_) {
    using service::State;
    if (service.status.state == State::Paused || !service.exists() || !shards_[service.shard.value].is_mine) continue;
    auto const surplus = static_cast<std::int64_t>(service.instances.size()) - service.status.desired;
    if (service.status.state != State::Running || touched_.contains(name)) {
      reasons.push_back(fmt::format("service {} is {}: {}", name, model::to_string(service.status.state), service.status.message));
    } else if (surplus > 0) {
      reasons.push_back(fmt::format("service {} has {} instances that are to go", name, surplus));
    }
  }
  return reasons;
}

}  // namespace davit::master
