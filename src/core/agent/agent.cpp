#include "core/agent/agent.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/core.h>

#include "base/check.hpp"
#include "base/planted.hpp"

namespace davit::agent {

using model::Reason;

namespace {
constexpr Duration kAnswerOfCreate = 1s;
constexpr Duration kBeatSlack = 100ms;  // the load is measured each second, and a beat must not wait for the next one
}  // namespace

Agent::Agent(Options options, model::AgentState state) : options_(std::move(options)), state_(std::move(state)), ports_(options_.ports) {
  options_.facts.id = state_.node;
  durable_ = state_;
  for (auto const& [where, claim] : state_.slots) learn_life(claim.incarnation);
  for (auto const& lease : options_.leases) {
    if (lease.boot == options_.boot) written_leases_[lease.container] = lease.end;
  }
}

void Agent::step(Now now, Event const& event, Actions& actions) {
  now_ = now;
  out_ = &actions;
  std::visit([this](auto const& each) { on(each); }, event);
  keep_leases();
  start_pulls();
  take_turns();
  collect_garbage();
  send_probes();
  see_ready();
  send_reports();
  measure_instances();
  keep_registered();
  out_ = nullptr;
}

Monotonic Agent::wake_at() const {
  Monotonic at = std::min({next_list_, next_lease_end_, complete_at_});
  if (!wakes_.empty()) at = std::min(at, wakes_.begin()->first);
  for (auto const& [container, garbage] : garbage_) {
    if (garbage.op == 0) at = std::min(at, garbage.at);
  }
  if (!instances_.empty() && measure_op_ == 0) at = std::min(at, next_measure_);
  for (auto const& [container, unanswered_at] : appeared_) at = std::min(at, unanswered_at);
  auto alone = probes_due_.empty() ? kNever : probes_due_.begin()->first;
  if (registrar_) alone = std::min(alone, registrar_->wake_at());
  return engine_up_ ? std::min(at, alone) : alone;  // nothing else that the agent does by itself succeeds without the engine
}

std::vector<std::string> Agent::pending() const {
  std::vector<std::string> reasons;
  if (!engine_up_) reasons.push_back("the engine does not answer");
  else if (!is_complete_) reasons.push_back("the engine's containers are not all listed and inspected yet");
  for (auto const& [id, instance] : instances_) {
    bool const settled = instance.op == 0 && (instance.phase == Phase::Running || instance.phase == Phase::Finished);
    if (!settled)
      reasons.push_back(
          fmt::format("{} is {}: {}", container_name(instance.identity), model::to_string(state_of(instance)), instance.message));
  }
  for (auto const& [container, at] : appeared_) reasons.push_back(fmt::format("container {} is of no known instance", container));
  for (auto const& [container, garbage] : garbage_) reasons.push_back(fmt::format("old container {} is not removed yet", container));
  if (registrar_) std::ranges::move(registrar_->pending(), std::back_inserter(reasons));
  return reasons;
}

bool Agent::all_stopped() const { return instances_.empty() && (is_complete_ || !engine_up_); }

// ---- masters

void Agent::on(MasterJoined const& event) {
  masters_[event.master] = {};
  std::erase_if(unanswered_, [&](auto const& each) { return each.first == event.master; });
  send(event.master, model::AgentHello{options_.facts, incarnation_});
  send_beat(event.master, {});
  knows_nothing_.erase(event.master);
  if (follows_ == event.master) stop_following();  // that was on the last connection
  keep_following();
}

void Agent::on(MasterLeft const& event) {
  masters_.erase(event.master);
  foreign_.erase(event.master);
  if (follows_ == event.master) stop_following();
  keep_following();
  std::erase_if(unanswered_, [&](auto const& each) { return each.first == event.master; });
}

// A master's first word says of which cluster it is; of another one nothing more is heard.
void Agent::on(FromMaster const& event) {
  if (foreign_.contains(event.master) && !std::holds_alternative<model::Welcome>(event.message)) return;
  if (follows_ == event.master) followed_at_ = now_.monotonic;
  std::visit([&](auto const& message) { on_message(event.master, message); }, event.message);
}

void Agent::send(NodeId master, model::ToMaster message) {
  if (masters_.contains(master)) out_->push_back(Send{master, std::move(message)});
}

void Agent::send_all(model::ToMaster const& message) {
  for (auto const& [master, stamp] : masters_) out_->push_back(Send{master, message});
}

void Agent::on_message(NodeId master, model::Welcome const& message) {
  foreign_.erase(master);
  if (state_.cluster && state_.cluster != message.cluster) {
    foreign_.insert(master);
    if (follows_ == master) stop_following();
    out_->push_back(Noted{true, fmt::format("refused a master of cluster {}: this node belongs to cluster {}", to_string(message.cluster),
                                            to_string(*state_.cluster))});
    return;
  }
  learn_life(message.incarnation);
  learn_masters(message);
  if (state_.cluster) return;
  state_.cluster = message.cluster;
  save_state();
  list_containers();
}

// A master whose view stands still knows less than another one has told.
void Agent::learn_masters(model::Welcome const& message) {
  if (message.masters.empty() || message.as_of < addresses_as_of_) return;
  addresses_as_of_ = message.as_of;
  if (message.masters == addresses_) return;
  addresses_ = message.masters;
  out_->push_back(KeepConnected{addresses_});
}

void Agent::learn_life(std::uint64_t incarnation) { incarnation_ = std::max(incarnation_, incarnation); }

// The first stamp of a connection is echoed at once, so that a node is heard as soon as it is connected.
void Agent::on_message(NodeId master, model::BeatBack const& message) {
  auto const known = masters_.find(master);
  if (known == masters_.end()) return;
  beat_interval_ = message.interval;
  if (message.grant) on_grant(*message.grant);
  bool const is_first = std::exchange(known->second, message.stamp) == Monotonic{};
  if (is_first) send_beat(master, message.stamp);
}

void Agent::send_beat(NodeId master, Monotonic echo) {
  send(master, model::Beat{.load = load_, .incarnation = incarnation_, .agent_clock = now_.monotonic, .echo = echo, .wall = now_.wall});
}

void Agent::on_message(NodeId master, model::FenceShards const& message) {
  bool changed = false;
  for (auto const& fence : message.fences) {
    CHECK(fence.shard.value < kShards);
    auto& stored = state_.epochs[fence.shard.value];
    if (fence.epoch > stored) stored = fence.epoch, changed = true;
    auto& way = ways_[fence.shard.value];
    if (std::pair(fence.epoch, message.round) >= std::pair(way.epoch, way.round)) way = {fence.epoch, message.round, master};
  }
  // Each asks for all that it has no answer to, so its newest fence is enough.
  std::erase_if(unanswered_, [&](auto const& each) { return each.first == master && each.second.asker == message.asker; });
  unanswered_.emplace_back(master, message);
  if (changed) save_state();
  answer_fences();
}

bool Agent::obeys(Fence fence) const {
  auto const shard = fence.shard.value;
  if (shard >= kShards || (!is_complete_ && !planted(Bug::AnswersBeforeList))) return false;
  if (fence.epoch != state_.epochs[shard] && !planted(Bug::ObeysOlderEpochs)) return false;
  return state_.epochs[shard] == durable_.epochs[shard] || planted(Bug::ObeysBeforeDurable);
}

// An owner fences anew when it takes another way to this agent, directly or through another master. What was on its way on an earlier one
// may come after newer words.
bool Agent::obeys(NodeId master, Fence fence) const {
  if (!obeys(fence)) return false;
  auto const& way = ways_[fence.shard.value];
  return way.master == master && way.epoch == fence.epoch;
}

void Agent::save_state() {
  if (saving_) {
    save_again_ = true;
    return;
  }
  saving_ = true;
  being_saved_ = state_;
  out_->push_back(SaveState{state_});
}

void Agent::on(StateSaved const& event) {
  saving_ = false;
  if (!event.outcome) {
    // An epoch that is not durable must not be obeyed: the fence stays unanswered, and the next list tries again.
    out_->push_back(Noted{true, fmt::format("the agent's state file cannot be written: {}", event.outcome.error().message)});
    save_again_ = true;
    return;
  }
  durable_ = std::move(being_saved_);
  if (std::exchange(save_again_, false)) save_state();
  answer_fences();
  say_what_is_refused();
}

// Only when the epochs are durable and the whole truth is known.
void Agent::answer_fences() {
  bool const knows_engine = !options_.facts.engine.version.empty();  // else its capacity is unknown
  bool const knows_all = (is_complete_ && knows_engine) || planted(Bug::AnswersBeforeList);
  bool const is_durable = state_.epochs == durable_.epochs || planted(Bug::ObeysBeforeDurable);
  if (!knows_all || !is_durable || unanswered_.empty()) return;
  for (auto const& [master, message] : std::exchange(unanswered_, {})) {
    model::FencesStored answer{.round = message.round, .asker = message.asker};
    for (auto const& fence : message.fences) {
      if (obeys(fence)) answer.fences.push_back(fence);
    }
    for (auto const& [id, instance] : instances_) answer.all.push_back(report_of(instance, now_));
    must_tell_all_uses_ = true;
    send(master, std::move(answer));
  }
}

void Agent::on_message(NodeId master, model::RunInstance const& message) {
  if (!obeys(master, message.fence)) return;
  learn_life(message.incarnation);
  if (auto* known = find(message.id)) {
    confirm(*known, message);
  } else {
    admit(master, message);
  }
}

void Agent::admit(NodeId master, model::RunInstance const& message) {
  model::Verdict verdict{.id = message.id, .uid = message.uid, .slot = message.slot};
  auto ports = check_admission(message);
  if (!ports) {
    verdict.reason = model::parse_enum<Reason>(ports.error().field).value_or(Reason::StartFailed);
    verdict.message = ports.error().message;
    send(master, std::move(verdict));
    return;
  }
  verdict.admitted = true;
  send(master, std::move(verdict));

  auto& instance = instances_[message.id];
  instance.identity = {message.id, message.uid, message.service, message.slot, message.revision, message.fence, 1, message.token};
  instance.spec = message.spec;
  instance.digest = message.digest;
  instance.ports = *std::move(ports);
  instance.created_at = instance.state_since = now_.monotonic;
  ports_.take(instance.ports);
  reserve(instance);
  reserved_.join(message.uid);
  if (is_leased(instance)) {
    leased_.insert(message.id);
    claim_slot(instance, message);
  }
  touch(instance);
  advance(instance);
}

Result<std::vector<model::PublishedPort>> Agent::check_admission(model::RunInstance const& message) {
  auto const refuse = [](Reason reason, std::string text) {
    return fail(Code::Exhausted, std::move(text), std::string(model::to_string(reason)));
  };
  if (!engine_up_ || stopping_services_) return refuse(Reason::EngineAway, "the node's engine does not answer");
  if (message.incarnation < incarnation_ && !planted(Bug::IgnoresIncarnation))
    return refuse(Reason::NodeDown, "the offer was meant for an earlier life of the node");
  if (message.token != 0) TRY_VOID(check_slot(message));

  TRY_VOID(reserved_.check(message.uid, *message.spec, options_.facts.engine));
  return ports_.pick(message.spec->ports, now_.monotonic);
}

// What its spec reserves, which is known of an adopted one only once the owner has told.
void Agent::reserve(Instance& instance) {
  reserved_.give_back(instance.reserved);
  instance.reserved = model::amount_of(instance.spec->resources.reservations);
  reserved_.take(instance.reserved);
}

void Agent::confirm(Instance& instance, model::RunInstance const& message) {
  if (is_leased(instance)) {
    if (!is_confirmation(instance, message)) return;
    claim_slot(instance, message);
  }
  instance.identity.fence = message.fence;
  instance.spec = message.spec;
  if (instance.probe && !probe_check_of(instance)) {  // the label said something else
    end_probing(instance);
    instance.health = model::Health::None;
  }
  reserve(instance);
  instance.digest = message.digest;
  name_ports(instance);
  unregistered_.insert(message.id);
  if (instance.stop_wanted) return;
  if (instance.phase == Phase::Finished) {
    // The policy may want a restart by now.
    auto const wait = restart_after(instance.spec->restart_policy, instance.failures, {instance.exit_code == 0, 1ns});
    if (!wait) return;
    set_phase(instance, Phase::BackOff);
    wake(instance, now_.monotonic + *wait);
  }
  if (instance.phase == Phase::Adopted && instance.op == 0) go_on(instance);  // else when that call is done
}

// The engine does not know their names.
void Agent::name_ports(Instance& instance) {
  for (auto& port : instance.ports) {
    for (auto const& wanted : instance.spec->ports) {
      if (wanted.target == port.target && wanted.protocol == port.protocol) port.name = wanted.name;
    }
  }
}

// With an adopted one that its owner has confirmed.
void Agent::go_on(Instance& instance) {
  switch (instance.container_state) {
    case model::ContainerState::Running:
    case model::ContainerState::Paused:
    case model::ContainerState::Restarting:
      set_phase(instance, Phase::Running);
      begin_probing(instance);
      inspect(instance);
      break;
    case model::ContainerState::Created:
      // It may have been made late, for a process that is no more, when another instance had been given its ports.
      instance.yields_ports = ports_.are_shared(instance.ports);
      if (instance.yields_ports) create_with_other_ports(instance, std::string(kPortGiven));
      else begin_start(instance);
      break;
    case model::ContainerState::Removing:
    case model::ContainerState::Exited:
    case model::ContainerState::Dead: {
      bool const has_reason = instance.reason == Reason::LeaseEnded || instance.reason == Reason::Vanished;
      on_ended(instance, has_reason ? instance.reason : Reason::Exited, instance.message, instance.exit_code == 0);
      break;
    }
  }
}

void Agent::on_message(NodeId master, model::StopInstance const& message) {
  if (!obeys(master, message.fence)) return;
  if (message.token != 0) refuse_slot(message.uid, message.slot, message.token);
  auto* instance = find(message.id);
  bool const is_of_an_earlier_offer = instance && message.token != 0 && message.token < instance->identity.token;
  if (!instance || is_of_an_earlier_offer) return say_gone(master, {message.id, message.uid, message.slot, message.token});
  instance->identity.fence = message.fence;
  begin_stop(*instance, message.reason);
}

// ---- engine

void Agent::on(EngineHinted const& event) {
  if (auto const* touched = std::get_if<model::ContainerTouched>(&event.hint)) {
    auto const owner = by_container_.find(touched->id);
    if (owner == by_container_.end()) return;
    auto* instance = find(owner->second);
    if (!instance) return;
    if (instance->op != 0) {
      instance->touched = true;
    } else if (instance->phase == Phase::Running || instance->phase == Phase::Adopted) {
      inspect(*instance);
    }
  } else if (auto const* appeared = std::get_if<model::ContainerAppeared>(&event.hint)) {
    // Its create's answer is on its way, or went to a process that is no more: then only a list shows it.
    bool const is_ours = state_.cluster && appeared->cluster == to_string(*state_.cluster);
    if (is_ours && !by_container_.contains(appeared->id)) appeared_.try_emplace(appeared->id, now_.monotonic + kAnswerOfCreate);
  } else if (auto const* progress = std::get_if<model::PullProgress>(&event.hint)) {
    auto const job = pulls_.find(progress->reference);
    if (job == pulls_.end() || progress->total_bytes <= 0) return;
    auto const text = fmt::format("pulling {}/{}", format_bytes({progress->done_bytes}), format_bytes({progress->total_bytes}));
    for (auto const id : job->second.waiting) {
      if (auto* instance = find(id)) instance->message = text, touch(*instance);
    }
  } else if (std::holds_alternative<model::EngineUp>(event.hint)) {
    engine_up_ = true;
    options_.facts.engine_up = true;
    options_.facts.engine_message.clear();
    options_.facts.engine = {};  // it may be another version by now
    list_containers();
  } else if (auto const* down = std::get_if<model::EngineDown>(&event.hint)) {
    engine_up_ = false;
    options_.facts.engine_up = false;
    options_.facts.engine_message = down->message;
    send_all(model::FactsChanged{options_.facts});
  }
}

void Agent::on(CallDone const& event) {
  if (event.op == list_op_) {
    list_op_ = 0;
    if (!event.outcome) {
      next_list_ = now_.monotonic + std::min<Duration>(30s, 500ms * (1 << std::min(list_failures_++, 6U)));
      return;
    }
    list_failures_ = 0;
    on_listed(std::get<model::ContainerList>(*event.outcome));
  } else if (event.op == info_op_) {
    info_op_ = 0;
    if (event.outcome) options_.facts.engine = std::get<model::EngineInfo>(*event.outcome);
    send_all(model::FactsChanged{options_.facts});
    answer_fences();
  } else if (event.op == measure_op_) {
    measure_op_ = 0;
    on_measured(event.outcome);
  } else if (auto const owner = calls_.find(event.op); owner != calls_.end()) {
    auto* instance = find(owner->second);
    calls_.erase(owner);
    CHECK(instance && instance->op == event.op, "call {} belongs to no instance", event.op);
    instance->op = 0;
    on_instance_call(*instance, event.outcome);
  } else {
    for (auto& [reference, job] : pulls_) {
      if (job.op == event.op) return on_pulled(std::string(reference), event.outcome);
    }
    for (auto& [container, garbage] : garbage_) {
      if (garbage.op != event.op) continue;
      garbage.op = 0;
      if (event.outcome) {
        garbage_.erase(container);
      } else {
        garbage.at = now_.monotonic + std::min<Duration>(30s, 1s * (1 << std::min(garbage.tries++, 5U)));
      }
      return;
    }
  }
}

void Agent::on_instance_call(Instance& instance, Result<model::EngineReply> const& outcome) {
  if (instance.stop_wanted && instance.phase != Phase::Create && instance.phase != Phase::Start && instance.phase != Phase::Stop &&
      instance.phase != Phase::Remove && instance.phase != Phase::Inspecting) {
    continue_stop(instance);
    return;
  }
  switch (instance.phase) {
    case Phase::Inspecting: on_adoption_inspected(instance, outcome); break;
    case Phase::CheckImage: on_image(instance, outcome); break;
    case Phase::Create: on_created(instance, outcome); break;
    case Phase::Start: on_started(instance, outcome); break;
    case Phase::Running: on_inspected(instance, outcome); break;
    case Phase::StopToRestart: on_stopped(instance, outcome); break;
    case Phase::Stop: on_stopped(instance, outcome); break;
    case Phase::Remove: on_removed(instance, outcome); break;
    case Phase::Adopted: on_adopted_inspected(instance, outcome); break;
    case Phase::Pull:
    case Phase::Turn:
    case Phase::Lease:
    case Phase::BackOff:
    case Phase::Finished:
    case Phase::Drain:
      CHECK(false, "{} had a call in flight in phase {}", container_name(instance.identity), static_cast<int>(instance.phase));
  }
}

void Agent::on(LoadMeasured const& event) {
  load_ = event.load;
  keep_following();
  if (now_.monotonic < next_beat_) return;
  next_beat_ = now_.monotonic + beat_interval_ - kBeatSlack;
  for (auto const& [master, stamp] : masters_) send_beat(master, stamp);
}

void Agent::on(StopServices const&) {
  stopping_services_ = true;
  std::vector<InstanceId> all;
  for (auto const& [id, instance] : instances_) all.push_back(id);
  for (auto const id : all) begin_stop(*find(id), Reason::None);
}

void Agent::on(Tick const&) {
  if (!engine_up_) return;  // what is due stays due
  if (complete_at_ <= now_.monotonic) {
    complete_at_ = kNever;
    are_first_probes_over_ = true;
    check_listed();
  }
  while (!wakes_.empty() && wakes_.begin()->first <= now_.monotonic) {
    auto* instance = find(wakes_.begin()->second);
    CHECK(instance);
    wake(*instance, kNever);
    if (instance->op != 0) {
      instance->touched = true;  // looked at again when that call is done
    } else if (instance->phase == Phase::Drain || instance->phase == Phase::Remove || instance->phase == Phase::Stop) {
      continue_stop(*instance);
    } else if (instance->phase == Phase::StopToRestart) {
      stop_to_restart(*instance, instance->reason, instance->message);
    } else if (instance->phase == Phase::BackOff) {
      if (!may_run(*instance)) continue;  // a lease wakes it
      ++instance->restarts;
      ++instance->identity.attempt;
      set_phase(*instance, Phase::CheckImage);
      advance(*instance);
    } else if (instance->phase == Phase::CheckImage) {
      advance(*instance);
    } else if (instance->phase == Phase::Running) {
      inspect(*instance);
    }
  }
  for (auto& [container, at] : appeared_) {
    if (at <= now_.monotonic) at = kNever, next_list_ = now_.monotonic;
  }
  if (next_list_ <= now_.monotonic) {
    if (save_again_ && !saving_) save_again_ = false, save_state();
    list_containers();
  }
}

// ---- small parts

OpId Agent::call(model::EngineCall what, Duration limit) {
  auto const op = next_op_++;
  out_->push_back(Call{op, std::move(what), now_.monotonic + limit});
  return op;
}

void Agent::call(Instance& instance, model::EngineCall what, Duration limit) {
  CHECK(instance.op == 0, "{} has a call in flight", container_name(instance.identity));
  instance.op = call(std::move(what), limit);
  calls_[instance.op] = instance.identity.instance;
}

void Agent::set_phase(Instance& instance, Phase phase) {
  auto const before = state_of(instance);
  bool const was_starting = instance.phase == Phase::Create || instance.phase == Phase::Start;
  bool const is_starting = phase == Phase::Create || phase == Phase::Start;
  if (was_starting && !is_starting) --starting_;
  if (!was_starting && is_starting) ++starting_;
  instance.phase = phase;
  if (state_of(instance) != before) instance.state_since = now_.monotonic;
  if (state_of(instance) != model::InstanceState::Running) instance.use = instance.told_use = std::nullopt;  // as masters forget it
  touch(instance);
}

void Agent::wake(Instance& instance, Monotonic at) {
  if (instance.wake_at != kNever) wakes_.erase({instance.wake_at, instance.identity.instance});
  instance.wake_at = at;
  if (at != kNever) wakes_.insert({at, instance.identity.instance});
}

void Agent::note(Instance const& instance, std::string_view text, bool is_warning) {
  out_->push_back(Noted{is_warning, fmt::format("{}: {}", container_name(instance.identity), text)});
}

Instance* Agent::find(InstanceId id) {
  auto const found = instances_.find(id);
  return found == instances_.end() ? nullptr : &found->second;
}

void Agent::see_ready() {
  for (auto const id : changed_) {
    auto* instance = find(id);
    if (!instance) continue;
    if (!is_ready(*instance)) {
      if (!instance->ready_since) continue;
      instance->well_for = std::max(instance->well_for, now_.monotonic - *instance->ready_since);
      instance->served_for = std::max(instance->served_for, instance->well_for);
      instance->ready_since = std::nullopt;
    } else if (!instance->ready_since) {
      instance->ready_since = planted(Bug::ReadyFromStart) ? instance->state_since : now_.monotonic;
    }
  }
}

// Nothing is reported before the first complete list: half of the truth would read as losses.
void Agent::send_reports() {
  if (masters_.empty() || !is_complete_) return;
  for (auto const id : changed_) {
    if (auto const* instance = find(id)) send_all(model::InstanceChanged{report_of(*instance, now_)});
  }
  changed_.clear();
}

}  // namespace davit::agent
