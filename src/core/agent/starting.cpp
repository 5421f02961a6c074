// From an order to a running container, and from its end to the next attempt.
#include <algorithm>

#include <fmt/core.h>

#include "base/check.hpp"
#include "core/agent/agent.hpp"
#include "model/image_reference.hpp"

namespace davit::agent {

using model::Reason;

namespace {

constexpr Duration kPullLimit = 30min;
constexpr Duration kPullAgain = 1s;
constexpr std::uint32_t kPortTries = 100;

// Away means that nothing is known and the same step is tried again when the engine is back.
bool is_away(Result<model::EngineReply> const& outcome) {
  return !outcome && (outcome.error().field == model::engine_error::kEngineAway || outcome.error().code == Code::UnknownOutcome);
}

// At the digest that the revision was resolved to.
std::string image_to_run(Instance const& instance) { return model::pin_image(instance.spec->image, instance.digest); }

// An image may have been pushed elsewhere too: only the digest of the repository that was asked for is the revision's.
std::string digest_of(model::ImageDetail const& image, std::string_view wanted) {
  auto const repository = model::repository_of(model::split_image_reference(wanted));
  for (auto const& with_name : image.repo_digests) {
    auto const parts = model::split_image_reference(with_name);
    if (parts.digest && model::repository_of(parts) == repository) return std::string(*parts.digest);
  }
  return {};
}

Reason reason_of(Error const& error) {
  if (error.field == model::engine_error::kNoSuchImage) return Reason::ImageNotFound;
  if (error.field == model::engine_error::kRegistryAuth) return Reason::RegistryAuth;
  if (error.field == model::engine_error::kRegistry) return Reason::PullFailed;
  if (error.field == model::engine_error::kBadConfig) return Reason::BadConfig;
  if (error.field == model::engine_error::kPortInUse) return Reason::HostPortInUse;
  if (error.field == model::engine_error::kEngineAway) return Reason::EngineAway;
  return Reason::StartFailed;
}

// The engine knows no names of ports, and has an order of its own.
bool have_same_numbers(std::vector<model::PublishedPort> const& left, std::vector<model::PublishedPort> const& right) {
  auto const same = [](auto const& a, auto const& b) {
    return a.target == b.target && a.protocol == b.protocol && a.published == b.published;
  };
  return std::ranges::is_permutation(left, right, same);
}

}  // namespace

// Does what the phase asks for; also after the engine was away, so each call must be safe to repeat.
void Agent::advance(Instance& instance) {
  CHECK(instance.op == 0);
  switch (instance.phase) {
    case Phase::CheckImage: check_image(instance); break;
    case Phase::Pull: request_pull(instance); break;
    case Phase::Create: create(instance); break;
    case Phase::Start:
      if (instance.stop_wanted) continue_stop(instance);
      else begin_start(instance);  // its lease may have ended meanwhile
      break;
    case Phase::Inspecting: call(instance, model::InspectContainer{instance.container.id}, 30s); break;
    case Phase::Drain:
    case Phase::Stop:
    case Phase::Remove: continue_stop(instance); break;
    case Phase::StopToRestart: stop_to_restart(instance, instance.reason, instance.message); break;
    case Phase::Turn:
    case Phase::Lease:
    case Phase::Adopted:
    case Phase::Running:
    case Phase::BackOff:
    case Phase::Finished: break;
  }
}

void Agent::check_image(Instance& instance) {
  if (instance.spec->pull_policy == model::PullPolicy::Always && !instance.was_pulled) {
    set_phase(instance, Phase::Pull);
    request_pull(instance);
    return;
  }
  call(instance, model::InspectImage{image_to_run(instance)}, 30s);
}

void Agent::on_image(Instance& instance, Result<model::EngineReply> const& outcome) {
  if (is_away(outcome)) return;
  if (!outcome) {
    if (outcome.error().field != model::engine_error::kNoSuchImage)
      return fail_attempt(instance, reason_of(outcome.error()), outcome.error().message);
    if (instance.spec->pull_policy == model::PullPolicy::Never) {
      return fail_attempt(instance, Reason::ImageNotFound,
                          fmt::format("{} is not on this node, and pull_policy is never", instance.spec->image));
    }
    if (instance.was_pulled)
      return fail_attempt(instance, Reason::ImageNotFound,
                          fmt::format("{} was pulled, but the engine does not have it", instance.spec->image));
    set_phase(instance, Phase::Pull);
    request_pull(instance);
    return;
  }
  auto const& image = std::get<model::ImageDetail>(*outcome);
  instance.has_image_test = image.has_healthcheck;
  instance.running_digest = digest_of(image, instance.spec->image);
  set_phase(instance, Phase::Turn);
  turns_.push_back(instance.identity.instance);
}

void Agent::request_pull(Instance& instance) {
  instance.reason = Reason::None;
  instance.message = "pulling";
  touch(instance);
  pulls_[image_to_run(instance)].waiting.insert(instance.identity.instance);
}

void Agent::start_pulls() {
  auto running = static_cast<std::uint32_t>(std::ranges::count_if(pulls_, [](auto const& each) { return each.second.op != 0; }));
  for (auto& [reference, job] : pulls_) {
    if (running >= options_.pulls_at_once || !engine_up_ || stopping_services_) return;
    if (job.op != 0) continue;
    job.op = call(model::PullImage{reference}, kPullLimit);
    ++running;
  }
}

void Agent::on_pulled(std::string const& reference, Result<model::EngineReply> const& outcome) {
  auto const job = pulls_.extract(reference);
  for (auto const id : job.mapped().waiting) {
    auto* instance = find(id);
    if (!instance || instance->phase != Phase::Pull) continue;
    if (is_away(outcome)) {
      set_phase(*instance, Phase::CheckImage);  // the engine went away meanwhile: no fault of the image's
      wake(*instance, now_.monotonic + kPullAgain);
    } else if (!outcome) {
      auto const reason = reason_of(outcome.error());
      fail_attempt(*instance, reason == Reason::StartFailed ? Reason::PullFailed : reason, outcome.error().message);
    } else {
      instance->was_pulled = true;
      instance->message.clear();
      set_phase(*instance, Phase::CheckImage);
      advance(*instance);
    }
  }
}

void Agent::take_turns() {
  while (!turns_.empty() && starting_ < options_.starts_at_once && engine_up_ && !stopping_services_) {
    auto* instance = find(turns_.front());
    turns_.pop_front();
    if (!instance || instance->phase != Phase::Turn) continue;
    set_phase(*instance, Phase::Create);
    create(*instance);
  }
}

void Agent::create(Instance& instance) {
  if (instance.yields_ports && ports_.are_shared(instance.ports))
    return fail_attempt(instance, Reason::HostPortInUse, std::string(kPortGiven));
  instance.yields_ports = false;
  auto const& identity = instance.identity;
  std::map<std::string, std::string> environment{{"DAVIT_SERVICE", identity.service},
                                                 {"DAVIT_SLOT", std::to_string(identity.slot)},
                                                 {"DAVIT_INSTANCE_ID", to_string(identity.instance)},
                                                 {"DAVIT_NODE_NAME", options_.facts.name}};
  if (is_leased(instance)) environment["DAVIT_FENCING_TOKEN"] = std::to_string(identity.token);
  auto labels = labels_of(owner(), identity);
  labels[kProbeLabel] = probe_label_of(probe_check_of(instance), instance.spec->network_mode == kHostNetwork);
  call(instance,
       model::CreateContainer{
           .name = container_name(identity),
           .image = image_to_run(instance),
           .spec = instance.spec,
           .labels = std::move(labels),
           .environment = std::move(environment),
           .ports = instance.ports,
       },
       60s);
}

void Agent::on_created(Instance& instance, Result<model::EngineReply> const& outcome) {
  if (outcome && std::holds_alternative<model::ContainerDetail>(*outcome)) return on_name_taken(instance, outcome);
  if (is_away(outcome)) return;
  if (!outcome && outcome.error().field == model::engine_error::kNameInUse) {
    // An earlier create may have come through although its answer did not.
    call(instance, model::InspectContainer{container_name(instance.identity)}, 30s);
    return;
  }
  if (!outcome && outcome.error().field == model::engine_error::kNoSuchImage && !instance.was_pulled && !instance.stop_wanted) {
    set_phase(instance, Phase::CheckImage);  // it was removed since we looked
    check_image(instance);
    return;
  }
  if (!outcome) {
    if (instance.stop_wanted) {
      set_phase(instance, Phase::CheckImage);  // there is no container of this attempt
      return continue_stop(instance);
    }
    if (outcome.error().field == model::engine_error::kNoSuchContainer) {
      // What has the name is gone by now, or is still being made: another name is free at once.
      ++instance.identity.attempt;
      return create(instance);
    }
    return fail_attempt(instance, reason_of(outcome.error()), outcome.error().message);
  }
  auto const& created = std::get<model::Created>(*outcome);
  for (auto const& warning : created.warnings) note(instance, warning, true);
  if (!instance.previous_container.empty() && instance.previous_container != instance.container.id) discard(instance.previous_container);
  instance.previous_container = instance.container.id;
  instance.container = {created.id, container_name(instance.identity), {}};
  instance.container_state = model::ContainerState::Created;
  by_container_[created.id] = instance.identity.instance;
  appeared_.erase(created.id);
  if (instance.stop_wanted) return continue_stop(instance);
  begin_start(instance);
}

void Agent::begin_start(Instance& instance) {
  if (is_leased(instance)) {
    if (!options_.has_guard) return fail_attempt(instance, Reason::NoGuard, "no guard runs on the node any more");
    instance.message = "waits for its lease";
    return set_phase(instance, Phase::Lease);
  }
  set_phase(instance, Phase::Start);
  call(instance, model::StartContainer{instance.container.id}, 60s);
}

void Agent::on_name_taken(Instance& instance, Result<model::EngineReply> const& outcome) {
  auto const& detail = std::get<model::ContainerDetail>(*outcome);
  auto const found = identify(owner(), detail.name, detail.labels);
  bool const is_ours = found && found->instance == instance.identity.instance;
  bool const is_going = garbage_.contains(detail.id);
  if (is_ours && !is_going && detail.state == model::ContainerState::Created && have_same_numbers(detail.ports, instance.ports)) {
    on_created(instance, model::EngineReply{model::Created{detail.id, {}}});
    return;
  }
  if (is_ours) discard(detail.id);  // an ended attempt, or one that an earlier process meant to have other ports
  ++instance.identity.attempt;  // a stranger's container stays untouched
  create(instance);
}

void Agent::on_started(Instance& instance, Result<model::EngineReply> const& outcome) {
  if (is_away(outcome)) return;
  if (instance.stop_wanted) return continue_stop(instance);
  if (!outcome) {
    auto const& error = outcome.error();
    if (error.field == model::engine_error::kPortInUse) return retry_with_other_ports(instance, error.message);
    return fail_attempt(instance, reason_of(error), error.message);
  }
  instance.container_state = model::ContainerState::Running;
  instance.started_at = now_.monotonic;
  instance.exit_code.reset();
  instance.reason = Reason::None;
  instance.message.clear();
  instance.was_pulled = instance.was_found = instance.ended_in_lapse = false;
  instance.lapsed_at = kNever;
  instance.well_for = {};
  instance.port_tries = 0;
  auto const& check = instance.spec->healthcheck;
  bool const has_own_test = check && !check->test.items.empty();
  bool const may_image_test = instance.has_image_test.value_or(true);  // the first inspection tells
  bool const is_tested = check && check->disable ? false : has_own_test || may_image_test || probe_check_of(instance);
  instance.health = is_tested ? model::Health::Starting : model::Health::None;
  set_phase(instance, Phase::Running);
  inspect(instance);  // its address; and it may have ended already
}

void Agent::retry_with_other_ports(Instance& instance, std::string const& message) {
  ports_.block(instance.ports, now_.monotonic);
  create_with_other_ports(instance, message);
}

// In place of a container that never ran. Picked ports are ours to change; a fixed one is the user's, and waits until it is free.
void Agent::create_with_other_ports(Instance& instance, std::string const& message) {
  bool const has_choice = !std::ranges::all_of(instance.spec->ports, model::is_fixed_on_node);
  if (!has_choice || ++instance.port_tries > kPortTries) {
    instance.port_tries = 0;
    return fail_attempt(instance, Reason::HostPortInUse, message);
  }
  ports_.release(instance.ports);
  auto ports = ports_.pick(instance.spec->ports, now_.monotonic);
  if (!ports) {
    ports_.take(instance.ports);
    return fail_attempt(instance, Reason::HostPortInUse, ports.error().message);
  }
  instance.ports = *std::move(ports);
  instance.yields_ports = false;
  ports_.take(instance.ports);
  discard(instance.container.id);
  instance.container = {};
  ++instance.identity.attempt;
  set_phase(instance, Phase::Create);
  create(instance);
}

// The container of this attempt ran and has ended, or is about to be replaced because it is unwell.
void Agent::on_ended(Instance& instance, Reason reason, std::string message, bool clean) {
  bool const has_lost_lease = was_cut_short(instance);
  instance.reason = has_lost_lease ? Reason::LeaseEnded : reason;
  instance.message = has_lost_lease ? std::string(kLeaseEndedText) : std::move(message);
  instance.paused = false;
  end_probing(instance);
  instance.health = model::Health::None;
  auto const well = std::max(instance.well_for, instance.ready_since ? now_.monotonic - *instance.ready_since : Duration{});
  Ending const ending{clean, instance.started_at ? std::max<Duration>(1ns, now_.monotonic - *instance.started_at) : 1ns, well};
  note(instance, fmt::format("ended: {}", instance.message), !clean);
  if (!instance.spec) {
    set_phase(instance, Phase::Adopted);
    return;
  }
  finish_or_back_off(instance, ending);
}

// This attempt never ran.
void Agent::fail_attempt(Instance& instance, Reason reason, std::string message) {
  instance.reason = reason;
  instance.message = std::move(message);
  instance.exit_code.reset();
  instance.was_pulled = false;
  note(instance, fmt::format("cannot start: {}", instance.message), true);
  finish_or_back_off(instance, {});
}

void Agent::finish_or_back_off(Instance& instance, Ending ending) {
  if (instance.stop_wanted) return continue_stop(instance);
  if (instance.reason == Reason::LeaseEnded) {  // no fault of its own, whatever its policy: the next lease starts it again
    wake(instance, kNever);
    return set_phase(instance, Phase::BackOff);
  }
  auto const& policy = instance.spec->restart_policy;
  instance.failures = failures_after(policy, instance.failures, ending);
  auto const wait = restart_after(policy, instance.failures, ending);
  if (!wait) {
    set_phase(instance, Phase::Finished);
    return;
  }
  if (ending.ran > 0s && instance.failures >= kCrashLoopFailures && (instance.reason == Reason::Exited)) {
    instance.reason = Reason::CrashLoop;
    instance.message = fmt::format("{}, {} times in a row", instance.message, instance.failures);
  }
  set_phase(instance, Phase::BackOff);
  wake(instance, now_.monotonic + *wait);
}

}  // namespace davit::agent
