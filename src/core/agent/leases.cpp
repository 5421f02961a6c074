// Instances that must not be doubled (protocol.md §7): they run only while a master has lately confirmed that this life of the node
// may, and of each slot the agent remembers over restarts which tokens it has given back.
//
// A lease ends at the agent's own clock of the newest beat that a master has answered with a grant, plus the service's stop_after. The
// agent ends its instances then; the guard does the same by the lease file, should agent or engine hang.
#include <algorithm>

#include <fmt/core.h>

#include "base/planted.hpp"
#include "core/agent/agent.hpp"

namespace davit::agent {

using model::ContainerState;
using model::Reason;

namespace {

constexpr std::size_t kRefusedKept = 1024;
constexpr Duration kWriteAgain = 1s;

// The highest token of the slot that can never be admitted (any more).
std::uint64_t refused_up_to(model::AgentState const& state, ServiceUid uid, std::uint32_t slot) {
  auto const claim = state.slots.find({uid, slot});
  if (claim == state.slots.end()) return state.refused_below;
  return claim->second.is_refused ? claim->second.token : claim->second.token - 1;
}

}  // namespace

// ---- claims

// Whether the slot of the offer may be taken here.
Status Agent::check_slot(model::RunInstance const& offer) const {
  auto const refuse = [](Reason reason, std::string text) {
    return fail(Code::Exhausted, std::move(text), std::string(model::to_string(reason)));
  };
  if (!options_.has_guard) return refuse(Reason::NoGuard, "no guard runs on the node, which instances with on_isolation: stop need");
  if (offer.token <= refused_up_to(state_, offer.uid, offer.slot)) return refuse(Reason::Replaced, "the slot was given back meanwhile");
  for (auto const id : leased_) {
    auto const& identity = instances_.at(id).identity;
    if (identity.uid == offer.uid && identity.slot == offer.slot) {
      return refuse(Reason::Replaced, "an earlier instance of the slot has not gone yet");
    }
  }
  return {};
}

// By an offer or a confirmation, which also tells that the claim holds in the node's present life.
void Agent::claim_slot(Instance& instance, model::RunInstance const& message) {
  instance.incarnation = message.incarnation;
  instance.stop_after = message.stop_after;
  model::SlotClaim const wanted{message.uid, message.slot, message.token, message.incarnation, false, message.stop_after};
  auto& claim = state_.slots[{message.uid, message.slot}];
  if (claim != wanted) {
    claim = wanted;
    save_state();
  }
  extend_lease(instance);
}

bool Agent::is_confirmation(Instance const& instance, model::RunInstance const& message) const {
  bool const is_refused = message.token <= refused_up_to(state_, message.uid, message.slot);
  return message.token == instance.identity.token && message.incarnation == incarnation_ && !is_refused;
}

// What the state file says of a container that was found.
void Agent::recall_claim(Instance& instance) {
  auto const& identity = instance.identity;
  if (!is_leased(instance)) return;
  leased_.insert(identity.instance);
  if (auto const lease = written_leases_.find(instance.container.id); lease != written_leases_.end()) instance.lease_end = lease->second;
  auto const claim = state_.slots.find({identity.uid, identity.slot});
  if (claim == state_.slots.end() || claim->second.token != identity.token || claim->second.is_refused) return;
  instance.incarnation = claim->second.incarnation;
  instance.stop_after = claim->second.stop_after;
  extend_lease(instance);
}

// An order to stop it came to an earlier process, and is obeyed to its end: no owner will ask twice, since none can confirm it any more.
bool Agent::was_given_back(Instance const& instance) const {
  auto const& identity = instance.identity;
  return is_leased(instance) && identity.token <= refused_up_to(state_, identity.uid, identity.slot);
}

void Agent::refuse_slot(ServiceUid uid, std::uint32_t slot, std::uint64_t token) {
  if (token <= refused_up_to(state_, uid, slot)) return;
  auto& claim = state_.slots[{uid, slot}];
  if (token > claim.token) claim = {.uid = uid, .slot = slot, .token = token};
  claim.is_refused = true;
  forget_old_claims();
  save_state();
}

// The oldest of those given back are remembered together: tokens grow over all slots of the store, and one that is refused for an
// older one's sake is asked back and claimed anew.
void Agent::forget_old_claims() {
  std::vector<std::uint64_t> refused;
  for (auto const& [where, claim] : state_.slots) {
    if (claim.is_refused) refused.push_back(claim.token);
  }
  if (refused.size() <= kRefusedKept) return;
  std::ranges::sort(refused);
  auto const oldest_kept = refused[refused.size() / 2];
  state_.refused_below = std::max(state_.refused_below, oldest_kept - 1);
  std::erase_if(state_.slots, [&](auto const& each) { return each.second.is_refused && each.second.token < oldest_kept; });
}

// Once the refusal is durable, if it needs one: until then an offer under way might still be admitted after a restart.
void Agent::say_gone(std::optional<NodeId> master, model::InstanceGone gone) {
  unsaid_.push_back({master, gone});
  say_what_is_refused();
}

void Agent::say_what_is_refused() {
  std::erase_if(unsaid_, [&](Unsaid const& each) {
    bool const is_refused = each.gone.token <= refused_up_to(durable_, each.gone.uid, each.gone.slot);
    if (!is_refused && !planted(Bug::GivesBackUnrefused)) return false;
    if (each.master) send(*each.master, each.gone);
    else send_all(each.gone);
    return true;
  });
}

// ---- leases

// Of another life than the present one, or of a clock that this boot has not reached, it says nothing.
void Agent::on_grant(model::Grant const& grant) {
  if (grant.agent_clock > now_.monotonic || grant.incarnation < lease_.incarnation) return;
  learn_life(grant.incarnation);
  auto const clock = grant.incarnation == lease_.incarnation ? std::max(lease_.agent_clock, grant.agent_clock) : grant.agent_clock;
  lease_ = {planted(Bug::LeasesFromArrival) ? now_.monotonic : clock, grant.incarnation};
  for (auto const id : leased_) extend_lease(*find(id));
}

void Agent::extend_lease(Instance& instance) {
  if (instance.incarnation == 0 || instance.incarnation != lease_.incarnation) return;
  auto const end = lease_.agent_clock + instance.stop_after;
  if (end <= instance.lease_end) return;
  bool const has_lapsed = instance.lease_end > Monotonic{} && instance.lease_end <= now_.monotonic;
  if (has_lapsed) instance.lapsed_at = std::min(instance.lapsed_at, instance.lease_end);
  instance.lease_end = end;
}

bool Agent::may_run(Instance const& instance) const { return !is_leased(instance) || now_.monotonic < instance.lease_end; }

bool Agent::was_cut_short(Instance const& instance) const { return instance.exit_code ? instance.ended_in_lapse : !may_run(instance); }

// Everything here follows from what is known now: it is asked after each event.
void Agent::keep_leases() {
  next_lease_end_ = kNever;
  if (leased_.empty() && written_leases_.empty()) return;
  for (auto const id : std::vector(leased_.begin(), leased_.end())) keep_lease(*find(id));
  write_leases();
}

void Agent::keep_lease(Instance& instance) {
  bool const is_idle = instance.op == 0 && engine_up_;
  bool const runs = instance.phase == Phase::Running || instance.phase == Phase::Drain ||
                    (instance.phase == Phase::Adopted && has_process(instance.container_state));
  if (instance.phase == Phase::Lease) {
    if (is_idle) start_under_lease(instance);
  } else if (instance.phase == Phase::BackOff) {
    if (instance.wake_at == kNever && may_run(instance)) wake(instance, now_.monotonic);
  } else if (runs && may_run(instance)) {
    next_lease_end_ = std::min(next_lease_end_, instance.lease_end);
  } else if (runs && is_idle) {
    end_lease(instance);
  }
}

// The guard has to know of the container before it runs, and the state file of the claim.
void Agent::start_under_lease(Instance& instance) {
  auto const& identity = instance.identity;
  auto const claim = durable_.slots.find({identity.uid, identity.slot});
  bool const is_claimed = claim != durable_.slots.end() && claim->second.token == identity.token && !claim->second.is_refused;
  auto const written = written_leases_.find(instance.container.id);
  bool const is_guarded = (written != written_leases_.end() && written->second > now_.monotonic) || planted(Bug::StartsUnguarded);
  if (!may_run(instance) || !is_claimed || !is_guarded) return;
  instance.message.clear();
  set_phase(instance, Phase::Start);
  call(instance, model::StartContainer{instance.container.id}, 60s);
}

void Agent::end_lease(Instance& instance) {
  if (instance.phase == Phase::Drain) {
    instance.drain_until = now_.monotonic;
    wake(instance, kNever);
    return continue_stop(instance);
  }
  note(instance, kLeaseEndedText, true);
  stop_to_restart(instance, Reason::LeaseEnded, std::string(kLeaseEndedText));
}

// Containers that are new or gone at once; a renewal when half of what the guard knows of is used up. Of attempts that are over until
// they are removed: an engine may obey a start late that a process before this one has asked for.
void Agent::write_leases() {
  if (!options_.has_guard || !is_complete_ || is_writing_leases_) return;
  std::map<std::string, Monotonic> ends;
  std::set<std::string_view> last_attempts;
  bool is_due = false;
  for (auto const id : leased_) {
    auto const& instance = *find(id);
    if (!instance.previous_container.empty()) last_attempts.insert(instance.previous_container);
    if (instance.container.id.empty()) continue;
    ends[instance.container.id] = instance.lease_end;
    auto const written = written_leases_.find(instance.container.id);
    bool const is_new = written == written_leases_.end();
    is_due = is_due || is_new || (instance.lease_end > written->second && written->second - now_.monotonic < instance.stop_after / 2);
  }
  for (auto const& [container, end] : written_leases_) {
    if (ends.contains(container) || !(garbage_.contains(container) || last_attempts.contains(container))) continue;
    ends[container] = model::kNeverAgain;
    is_due = is_due || end != model::kNeverAgain;
  }
  if (!is_due && ends.size() == written_leases_.size()) return;
  if (write_leases_at_ > now_.monotonic) {
    next_lease_end_ = std::min(next_lease_end_, write_leases_at_);
    return;
  }
  WriteLeases action;
  for (auto const& [container, end] : ends) action.all.push_back({options_.boot, container, end});
  leases_being_written_ = std::move(ends);
  is_writing_leases_ = true;
  out_->push_back(std::move(action));
}

void Agent::on(LeasesWritten const& event) {
  is_writing_leases_ = false;
  if (event.outcome) {
    written_leases_ = std::move(leases_being_written_);
    return;
  }
  write_leases_at_ = now_.monotonic + kWriteAgain;
  out_->push_back(Noted{true, fmt::format("the guard's file of leases cannot be written: {}", event.outcome.error().message)});
}

}  // namespace davit::agent
