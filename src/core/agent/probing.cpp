// Probes over the network: sent while the container runs, whether the engine answers or not.
#include <utility>

#include <fmt/core.h>

#include "core/agent/agent.hpp"

namespace davit::agent {

using model::Health;
using model::Reason;

namespace {

// A container of the host's network has the node's address. Nothing: it is in no network that has addresses.
std::optional<model::ProbeTarget> target_of(Instance const& instance, model::Healthcheck const& check) {
  bool const is_of_host = instance.spec ? instance.spec->network_mode == kHostNetwork : instance.labelled_probe->is_of_host;
  if (instance.container.address.empty() && !is_of_host) return std::nullopt;
  model::ProbeTarget target{.host = is_of_host ? "127.0.0.1" : instance.container.address,
                            .port = static_cast<std::uint16_t>(check.http ? check.http->port : check.tcp->port),
                            .path = {}};
  if (check.http) target.path = check.http->path;
  return target;
}

}  // namespace

// Of a container that runs.
void Agent::begin_probing(Instance& instance) {
  auto const* check = probe_check_of(instance);
  if (!check || instance.probe) return;
  instance.probe.emplace(*check, instance.started_at.value_or(now_.monotonic), instance.was_found, now_.monotonic);
  instance.health = instance.probe->health();
  probes_due_.emplace(instance.probe->due(), instance.identity.instance);
  touch(instance);
}

// An outcome that is still to come finds nobody.
void Agent::end_probing(Instance& instance) {
  if (!instance.probe) return;
  probes_due_.erase({instance.probe->due(), instance.identity.instance});
  probes_.erase(instance.probe_op);
  instance.probe_op = 0;
  instance.probe.reset();
}

void Agent::send_probes() {
  while (!probes_due_.empty() && probes_due_.begin()->first <= now_.monotonic) {
    auto& instance = *find(probes_due_.begin()->second);
    probes_due_.erase(probes_due_.begin());
    if (instance.paused) {
      instance.probe->put_off(now_.monotonic);
      probes_due_.emplace(instance.probe->due(), instance.identity.instance);
      continue;
    }
    auto const& check = *probe_check_of(instance);
    instance.probe->on_sent();
    instance.probe_op = next_op_++;
    probes_[instance.probe_op] = instance.identity.instance;
    if (auto target = target_of(instance, check))
      out_->push_back(Probe{instance.probe_op, *std::move(target), now_.monotonic + check.timeout});
    else on(Probed{instance.probe_op, fail(Code::Unavailable, "the container has no address")});
  }
}

void Agent::on(Probed const& event) {
  auto const probe = probes_.extract(event.op);
  if (probe.empty()) return;
  auto& instance = *find(probe.mapped());
  instance.probe_op = 0;
  instance.probe->on_outcome(event.outcome.has_value(), now_.monotonic);
  if (!instance.spec) unregistered_.insert(instance.identity.instance);
  probes_due_.emplace(instance.probe->due(), instance.identity.instance);
  if (!event.outcome) instance.health_message = event.outcome.error().message;
  auto const before = std::exchange(instance.health, instance.probe->health());
  if (instance.health != before) {
    touch(instance);
    if (instance.health == Health::Unhealthy) note(instance, fmt::format("unhealthy: {}", instance.health_message), true);
    else note(instance, model::to_string(instance.health));
  }
  if (engine_up_ && instance.op == 0) restart_if_unwell(instance);  // also one that became so while the engine was away
  check_listed();
}

// By the engine's test or by the agent's probe. Whether it goes on by itself, its restart policy says.
void Agent::restart_if_unwell(Instance& instance) {
  bool const may_restart = instance.spec && instance.spec->restart_policy.condition != model::RestartCondition::None;
  if (instance.phase != Phase::Running || instance.health != Health::Unhealthy || !may_restart) return;
  stop_to_restart(instance, Reason::Unhealthy, instance.health_message.empty() ? "its health test failed" : instance.health_message);
}

}  // namespace davit::agent
