// The agent's view of what the engine shows: the list is the truth about which containers are there, an inspection about
// one of them. Nothing follows from an event but a look.
#include <fmt/core.h>

#include "base/check.hpp"
#include "base/planted.hpp"
#include "core/agent/agent.hpp"

namespace davit::agent {

using model::Reason;

namespace {
constexpr Duration kListInterval = 30s;
constexpr Duration kPausedFor = 10s;
constexpr Duration kLookAgain = 1s;
constexpr Duration kFirstProbe = 1s;
constexpr Duration kSameStart = 500ms;  // the engine tells it by its clock of the day
constexpr Duration kWallGrain = 10ms;
}  // namespace

void Agent::list_containers() {
  if (!state_.cluster || !engine_up_) return;
  if (options_.facts.engine.version.empty() && info_op_ == 0) info_op_ = call(model::ReadEngineInfo{}, 10s);
  next_list_ = now_.monotonic + kListInterval;
  if (list_op_ != 0) {
    list_again_ = true;  // the one in flight may be older than what this one was asked for
    return;
  }
  list_op_ = call(model::ListContainers{list_filter(owner())}, 30s);
}

void Agent::on_listed(model::ContainerList const& list) {
  std::map<std::string, model::ContainerState> states;
  std::map<InstanceId, std::pair<Identity, model::ContainerSummary const*>> unknown;
  for (auto const& container : list.all) {
    states[container.id] = container.state;
    auto const identity = identify(owner(), container.name, container.labels);
    if (!identity || garbage_.contains(container.id)) continue;
    if (auto const* known = find(identity->instance)) {
      // A create that came through although its answer did not: after the attempt was given up, or of one that a process before this one
      // had begun. What was never started goes, lest the next process takes it for the instance.
      bool const is_kept = container.id == known->container.id || container.id == known->previous_container;
      bool const is_stray = identity->attempt > known->identity.attempt && container.state == model::ContainerState::Created;
      if (!is_kept && (identity->attempt < known->identity.attempt || is_stray)) discard(container.id);
      continue;
    }
    auto& newest = unknown[identity->instance];
    auto const rank = [](Identity const& of, model::ContainerSummary const& its) { return std::pair(has_process(its.state), of.attempt); };
    if (newest.second && rank(newest.first, *newest.second) > rank(*identity, container)) {
      discard(container.id);
      continue;
    }
    if (newest.second) discard(newest.second->id);
    newest = {*identity, &container};
  }
  for (auto& [id, instance] : instances_) {
    if (instance.op != 0) continue;
    bool const has_container = !instance.container.id.empty();  // of one that was adopted it may have vanished
    if (instance.phase == Phase::Running || (instance.phase == Phase::Adopted && has_container)) {
      auto const state = states.find(instance.container.id);
      bool const is_as_known = state != states.end() && state->second == instance.container_state;
      bool const is_tested = instance.health != model::Health::None && !instance.probe;  // what no event told
      if (!is_as_known || is_tested || !was_listed_) inspect(instance);
    } else if (instance.wake_at == kNever && instance.phase != Phase::Adopted && instance.phase != Phase::Finished) {
      advance(instance);  // it was stalled while the engine was away
    }
  }
  was_listed_ = true;
  if (!list_again_) std::erase_if(appeared_, [](auto const& each) { return each.second == kNever; });
  if (planted(Bug::ForgetsToAdopt)) unknown.clear();
  for (auto const& [id, found] : unknown) adopt(found.first, *found.second);
  check_listed();
  if (std::exchange(list_again_, false)) list_containers();
}

void Agent::adopt(Identity const& identity, model::ContainerSummary const& container) {
  auto& instance = instances_[identity.instance];
  instance.identity = identity;
  instance.phase = Phase::Inspecting;
  instance.was_found = true;
  instance.container = {container.id, container.name, {}};
  instance.container_state = container.state;
  instance.created_at = instance.state_since = now_.monotonic;
  by_container_[container.id] = identity.instance;
  reserved_.join(identity.uid);
  instance.labelled_probe = probe_of(container.labels);
  recall_claim(instance);
  call(instance, model::InspectContainer{container.id}, 30s);
}

void Agent::on_adoption_inspected(Instance& instance, Result<model::EngineReply> const& outcome) {
  if (!outcome) {
    if (outcome.error().field == model::engine_error::kNoSuchContainer) {
      forget(instance);  // gone between the list and now
      check_listed();
    }
    return;  // otherwise the next list tries again
  }
  auto const& detail = std::get<model::ContainerDetail>(*outcome);
  instance.ports = detail.ports;
  if (!planted(Bug::ForgetsPorts)) ports_.take(instance.ports);
  auto const age = [&](std::optional<Wall> const& since) { return since ? std::max<Duration>(0s, now_.wall - *since) : Duration::zero(); };
  instance.created_at = now_.monotonic - age(detail.created_at);
  observe(instance, detail);
  instance.restarts = instance.identity.attempt - 1;
  instance.phase = Phase::Adopted;
  see_end_of_adopted(instance, detail);
  instance.state_since = now_.monotonic - age(detail.started_at);
  if (detail.state == model::ContainerState::Running || detail.state == model::ContainerState::Paused) begin_probing(instance);
  touch(instance);
  note(instance, fmt::format("adopted, {}", model::to_string(detail.state)));
  if (instance.spec) name_ports(instance);
  if (instance.stop_wanted) continue_stop(instance);
  else if (stopping_services_ || was_given_back(instance) || planted(Bug::AbsenceIsAnOrder)) begin_stop(instance, Reason::None);
  else if (instance.spec) go_on(instance);  // it was confirmed meanwhile
  check_listed();
}

// While nobody has confirmed it nothing follows from its end but what is reported; nor is it known how often it has failed before, but that
// each end of its short life had its attempt.
void Agent::see_end_of_adopted(Instance& instance, model::ContainerDetail const& detail) {
  if (!instance.exit_code) return;
  if (was_cut_short(instance)) {
    instance.reason = Reason::LeaseEnded;
  } else if (!is_leased(instance) && detail.started_at && detail.finished_at &&
             *detail.finished_at - *detail.started_at < model::RestartPolicy().window) {
    instance.failures = instance.identity.attempt - 1;
  }
}

void Agent::on_adopted_inspected(Instance& instance, Result<model::EngineReply> const& outcome) {
  if (outcome) {
    auto const& detail = std::get<model::ContainerDetail>(*outcome);
    observe(instance, detail);
    see_end_of_adopted(instance, detail);
    if (instance.exit_code) end_probing(instance);
  } else if (outcome.error().field == model::engine_error::kNoSuchContainer) {
    by_container_.erase(instance.container.id);
    instance.container = {};
    instance.container_state = model::ContainerState::Dead;
    instance.exit_code.reset();
    instance.reason = Reason::Vanished;
    instance.message = "the container was removed by somebody";
    instance.touched = false;
    end_probing(instance);
    touch(instance);
  }
  if (instance.spec) go_on(instance);
  else if (std::exchange(instance.touched, false)) inspect(instance);
}

// The node's whole truth is known when the list has come and everything in it has been inspected; and probed once, where that tells soon
// whether it is ready.
void Agent::check_listed() {
  if (is_complete_ || !was_listed_) return;
  bool is_being_probed = false;
  for (auto const& [id, instance] : instances_) {
    if (instance.phase == Phase::Inspecting) return;
    bool const is_untried = instance.probe && !instance.probe->was_tried() && instance.health == model::Health::Starting;
    is_being_probed |= instance.phase == Phase::Adopted && is_untried;
  }
  if (is_being_probed && !are_first_probes_over_) {
    if (complete_at_ == kNever) complete_at_ = now_.monotonic + kFirstProbe;
    return;
  }
  complete_at_ = kNever;
  is_complete_ = true;
  answer_fences();
}

void Agent::inspect(Instance& instance) {
  instance.touched = false;
  call(instance, model::InspectContainer{instance.container.id}, 30s);
}

// An end while nobody had confirmed in time that it may run: by whoever ended it then, and no fault of its own.
bool Agent::was_in_lapse(Instance const& instance, std::optional<Wall> ended) const {
  if (!ended) return !may_run(instance);
  auto const ended_at = now_.monotonic - (now_.wall - *ended);
  return ended_at + kWallGrain >= std::min(instance.lapsed_at, instance.lease_end);
}

// What one inspection says about the container, whatever the phase.
void Agent::observe(Instance& instance, model::ContainerDetail const& detail) {
  instance.container_state = detail.state;
  instance.container.name = detail.name;
  instance.container.address = detail.address;
  if (!instance.probe) {
    instance.health = detail.health;
    instance.health_message = detail.health_output;
  }
  if (detail.started_at) instance.started_at = now_.monotonic - std::max<Duration>(0s, now_.wall - *detail.started_at);
  bool const has_ended = detail.state == model::ContainerState::Exited || detail.state == model::ContainerState::Dead;
  instance.exit_code = has_ended ? std::optional(detail.exit_code) : std::nullopt;
  instance.ended_in_lapse = has_ended && is_leased(instance) && was_in_lapse(instance, detail.finished_at);
  if (detail.state == model::ContainerState::Running) instance.lapsed_at = kNever;
  if (has_ended) instance.message = detail.error.empty() ? fmt::format("exit {}", detail.exit_code) : detail.error;
  touch(instance);
}

// Of a container that should run.
void Agent::on_inspected(Instance& instance, Result<model::EngineReply> const& outcome) {
  if (!outcome) {
    if (outcome.error().field == model::engine_error::kNoSuchContainer || planted(Bug::SilenceOfEngineIsDeath)) {
      by_container_.erase(instance.container.id);
      instance.container = {};
      instance.exit_code.reset();
      on_ended(instance, Reason::Vanished, "the container was removed by somebody", false);
    } else {
      wake(instance, now_.monotonic + kLookAgain);
    }
    return;
  }
  auto const& detail = std::get<model::ContainerDetail>(*outcome);
  auto const was_paused = instance.paused;
  auto const started_before = instance.started_at;
  observe(instance, detail);
  bool const was_restarted = started_before && instance.started_at && *instance.started_at > *started_before + kSameStart;
  if (was_restarted)
    end_probing(instance), instance.was_found = false;  // by somebody else: what was found out of the one before does not count
  instance.paused = detail.state == model::ContainerState::Paused;
  switch (detail.state) {
    case model::ContainerState::Exited:
    case model::ContainerState::Dead:
    case model::ContainerState::Removing:
      on_ended(instance, detail.oom_killed ? Reason::OomKilled : Reason::Exited, instance.message,
               detail.exit_code == 0 && !detail.oom_killed);
      return;
    case model::ContainerState::Created:
    case model::ContainerState::Running:
    case model::ContainerState::Paused:
    case model::ContainerState::Restarting: break;
  }
  if (instance.paused && !was_paused) {
    bool const may_restart = instance.spec->restart_policy.condition != model::RestartCondition::None;
    instance.reason = Reason::Paused;
    instance.message = may_restart ? fmt::format("somebody paused the container; it is restarted in {}", format_duration(kPausedFor))
                                   : "somebody paused the container, and its restart policy starts nothing again";
    instance.paused_until = may_restart ? now_.monotonic + kPausedFor : kNever;
    wake(instance, instance.paused_until);
  } else if (instance.paused && instance.paused_until <= now_.monotonic) {
    return stop_to_restart(instance, Reason::Paused, "the container was paused for too long");
  } else if (!instance.paused) {
    instance.reason = Reason::None;
    instance.message.clear();
    instance.paused_until = kNever;
    wake(instance, kNever);
  }
  begin_probing(instance);  // now its address is known
  restart_if_unwell(instance);
  if (instance.op == 0 && instance.touched) inspect(instance);
}

}  // namespace davit::agent
