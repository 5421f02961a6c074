#include "core/agent/instance.hpp"

#include <algorithm>

#include "model/spec.hpp"

namespace davit::agent {

using model::InstanceState;

model::InstanceState state_of(Instance const& instance) {
  switch (instance.phase) {
    case Phase::CheckImage:
    case Phase::Pull:
    case Phase::Turn: return InstanceState::Preparing;
    case Phase::Create:
    case Phase::Lease:
    case Phase::Start: return InstanceState::Starting;
    case Phase::Running: return InstanceState::Running;
    case Phase::BackOff:
    case Phase::Finished:
      return instance.exit_code == 0 && instance.reason == model::Reason::Exited ? InstanceState::Exited : InstanceState::Failed;
    case Phase::StopToRestart:
    case Phase::Drain:
    case Phase::Stop:
    case Phase::Remove: return InstanceState::Stopping;
    case Phase::Inspecting:
    case Phase::Adopted: break;
  }
  switch (instance.container_state) {
    case model::ContainerState::Running:
    case model::ContainerState::Paused:
    case model::ContainerState::Restarting: return InstanceState::Running;
    case model::ContainerState::Created: return InstanceState::Starting;
    case model::ContainerState::Removing:
    case model::ContainerState::Exited:
    case model::ContainerState::Dead: return InstanceState::Exited;
  }
  return InstanceState::Starting;
}

model::Healthcheck const* probe_check_of(Instance const& instance) {
  if (!instance.spec) return instance.labelled_probe ? &instance.labelled_probe->check : nullptr;
  auto const& check = instance.spec->healthcheck;
  return check && !check->disable && (check->http || check->tcp) ? &*check : nullptr;
}

bool is_ready(Instance const& instance) {
  bool const is_paused = instance.paused || instance.container_state == model::ContainerState::Paused;
  if (state_of(instance) != InstanceState::Running || is_paused || instance.stop_wanted) return false;
  return instance.health == model::Health::None || instance.health == model::Health::Healthy;
}

Duration drain_delay_of(Instance const& instance) { return instance.spec ? instance.spec->drain_delay : model::ServiceSpec{}.drain_delay; }

model::InstanceReport report_of(Instance const& instance, Now now) {
  model::InstanceReport report{
      .id = instance.identity.instance,
      .uid = instance.identity.uid,
      .service = instance.identity.service,
      .slot = instance.identity.slot,
      .revision = instance.identity.revision,
      .token = instance.identity.token,
      .fence = instance.identity.fence,
      .state = state_of(instance),
      .health = instance.health,
      .ready = is_ready(instance),
      .reason = instance.stop_wanted ? instance.stop_reason : instance.reason,
      .message = instance.message,
      .restarts = instance.restarts,
      .failures = instance.failures,
      .exit_code = instance.exit_code,
      .container = instance.container,
      .previous_container = instance.previous_container,
      .ports = instance.ports,
      .digest = instance.running_digest,
      .created_ago = now.monotonic - instance.created_at,
      .state_ago = now.monotonic - instance.state_since,
      .served_for = instance.served_for,
      .was_found = instance.was_found,
  };
  if (report.ready && instance.ready_since) report.ready_ago = now.monotonic - *instance.ready_since;
  if (instance.started_at && report.state == InstanceState::Running) report.started_ago = now.monotonic - *instance.started_at;
  if (instance.phase == Phase::BackOff && instance.wake_at != kNever) {
    report.next_start_in = std::max(Duration::zero(), instance.wake_at - now.monotonic);
  }
  return report;
}

}  // namespace davit::agent
