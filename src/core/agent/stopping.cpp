// From a running container to none: out of the registry → drain → stop signal → grace → kill → remove, each step with a deadline.
#include <algorithm>

#include <fmt/core.h>

#include "base/check.hpp"
#include "base/planted.hpp"
#include "core/agent/agent.hpp"

namespace davit::agent {

using model::Reason;

namespace {
constexpr Duration kLeaseGrace = 2s;   // of one whose lease has ended, which others wait for
constexpr std::uint32_t kPoliteTries = 3;
constexpr Duration kAfterGrace = 30s;  // what the engine may take beyond the grace period before we remove by force

Duration grace_of(Instance const& instance) { return instance.spec ? instance.spec->stop_grace_period : 10s; }
bool is_forced(Instance const& instance) { return instance.removal_tries >= kPoliteTries; }
Duration removal_wait(std::uint32_t tries) { return std::min<Duration>(30s, 1s * (1 << std::min(tries, 5U))); }
}  // namespace

void Agent::begin_stop(Instance& instance, Reason reason) {
  if (instance.stop_wanted) return;
  bool const has_clients = is_ready(instance) && !instance.ports.empty();
  instance.stop_wanted = true;
  end_probing(instance);
  reserved_.leave(instance.identity.uid);
  instance.stop_reason = reason;
  if (has_clients) instance.drain_until = now_.monotonic + leave_registry(instance) + drain_delay_of(instance);
  wake(instance, kNever);
  touch(instance);
  if (instance.op == 0) continue_stop(instance);  // else when that call is done
}

void Agent::continue_stop(Instance& instance) {
  CHECK(instance.stop_wanted && instance.op == 0);
  if (instance.phase == Phase::Inspecting) return;
  leave_pull(instance);
  if (instance.container.id.empty() && instance.phase == Phase::Create) {
    // A create without an answer may have come through.
    call(instance, model::InspectContainer{container_name(instance.identity)}, 30s);
    return;
  }
  if (instance.container.id.empty()) return forget(instance);
  bool const may_serve = instance.phase == Phase::Running || instance.phase == Phase::Adopted || instance.phase == Phase::Drain;
  if (may_serve && instance.drain_until > now_.monotonic) {
    set_phase(instance, Phase::Drain);
    wake(instance, instance.drain_until);
    return;
  }
  bool const has_ended = instance.container_state == model::ContainerState::Exited ||
                         instance.container_state == model::ContainerState::Dead ||
                         (instance.container_state == model::ContainerState::Created && instance.phase != Phase::Start);
  if (instance.phase == Phase::Remove || has_ended || instance.phase == Phase::BackOff || instance.phase == Phase::Finished) {
    set_phase(instance, Phase::Remove);
    call(instance, model::RemoveContainer{instance.container.id}, 60s);
    return;
  }
  set_phase(instance, Phase::Stop);
  call(instance, model::StopContainer{instance.container.id, grace_of(instance)}, grace_of(instance) + kAfterGrace);
}

// Whatever the engine answered: of one that is to go what is left is removed by force, unless the engine is away.
void Agent::on_stopped(Instance& instance, Result<model::EngineReply> const& outcome) {
  if (!outcome && outcome.error().field == model::engine_error::kEngineAway) return;  // the next list goes on
  bool const is_to_go = instance.phase == Phase::Stop;
  bool const may_still_run = !outcome && outcome.error().field != model::engine_error::kNoSuchContainer;
  if (may_still_run) {
    auto const next = is_to_go ? "it is removed by force" : "trying again";
    note(instance, fmt::format("did not stop: {}; {}", outcome.error().message, next), true);
  }
  if (is_to_go) {
    set_phase(instance, Phase::Remove);
    call(instance, model::RemoveContainer{instance.container.id}, 60s);
    return;
  }
  if (instance.stop_wanted) return continue_stop(instance);
  if (may_still_run) {  // none may start beside it
    instance.message = fmt::format("it does not stop: {}", outcome.error().message);
    touch(instance);
    return wake(instance, now_.monotonic + removal_wait(instance.removal_tries++));
  }
  if (!outcome || is_forced(instance)) {
    discard(instance.container.id);
    instance.container = {};
  }
  instance.removal_tries = 0;
  instance.container_state = model::ContainerState::Exited;
  on_ended(instance, instance.reason, instance.message, false);
}

void Agent::on_removed(Instance& instance, Result<model::EngineReply> const& outcome) {
  if (outcome) return forget(instance);
  if (outcome.error().field == model::engine_error::kEngineAway) return;
  instance.message = fmt::format("the container cannot be removed: {}", outcome.error().message);
  note(instance, instance.message, true);
  touch(instance);
  wake(instance, now_.monotonic + removal_wait(instance.removal_tries++));
}

// Of a container that runs but is unwell; its next attempt follows.
void Agent::stop_to_restart(Instance& instance, Reason reason, std::string message) {
  instance.reason = reason;
  instance.message = std::move(message);
  wake(instance, kNever);
  end_probing(instance);
  set_phase(instance, Phase::StopToRestart);
  if (is_forced(instance)) return call(instance, model::RemoveContainer{instance.container.id}, 60s);
  auto const grace = reason == Reason::LeaseEnded ? kLeaseGrace : grace_of(instance);
  call(instance, model::StopContainer{instance.container.id, grace}, grace + kAfterGrace);
}

void Agent::forget(Instance& instance) {
  CHECK(instance.op == 0);
  wake(instance, kNever);
  end_probing(instance);
  bool const was_starting = instance.phase == Phase::Create || instance.phase == Phase::Start;
  if (was_starting) --starting_;
  if (!instance.previous_container.empty()) discard(instance.previous_container);
  by_container_.erase(instance.container.id);
  ports_.release(instance.ports);
  if (!planted(Bug::LeaksReservations)) reserved_.give_back(instance.reserved);
  if (!instance.stop_wanted) reserved_.leave(instance.identity.uid);
  leave_pull(instance);
  if (is_complete_) {
    auto const& identity = instance.identity;
    if (is_leased(instance)) refuse_slot(identity.uid, identity.slot, identity.token);
    say_gone(std::nullopt, {identity.instance, identity.uid, identity.slot, identity.token});
  }
  leased_.erase(instance.identity.instance);
  changed_.erase(instance.identity.instance);
  unregistered_.insert(instance.identity.instance);
  instances_.erase(instance.identity.instance);
}

// Nothing is pulled for nobody; a pull under way goes on.
void Agent::leave_pull(Instance const& instance) {
  for (auto job = pulls_.begin(); job != pulls_.end();) {
    job->second.waiting.erase(instance.identity.instance);
    job = job->second.waiting.empty() && job->second.op == 0 ? pulls_.erase(job) : std::next(job);
  }
}

// A container of ours that no instance needs any more.
void Agent::discard(std::string const& container) {
  by_container_.erase(container);
  if (!container.empty() && !planted(Bug::KeepsGarbage)) garbage_.try_emplace(container, Garbage{0, 0, now_.monotonic});
}

void Agent::collect_garbage() {
  if (!engine_up_) return;
  for (auto& [container, garbage] : garbage_) {
    if (garbage.op == 0 && garbage.at <= now_.monotonic) garbage.op = call(model::RemoveContainer{container}, 60s);
  }
}

}  // namespace davit::agent
