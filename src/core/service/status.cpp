#include "core/service/status.hpp"

#include <fmt/core.h>

namespace davit::service {
namespace {

using model::InstanceState;
using model::RolloutState;

bool is_in_trouble(Instance const& instance) {
  if (instance.stop_sent || instance.is_ready()) return false;
  return instance.reason != model::Reason::None || instance.health == model::Health::Unhealthy;
}

State state_of(model::Head const& head, ServiceStatus const& status, bool in_trouble) {
  if (head.removing) return State::Removing;
  if (head.rollout.state == RolloutState::Stopped) return State::Paused;
  if (head.rollout.state == RolloutState::Active) return head.rollout.is_rollback ? State::RollingBack : State::Updating;
  if (in_trouble) return State::Degraded;
  return status.ready >= status.desired ? State::Running : State::Converging;
}

std::string trouble_text(model::Head const& head, Instance const& instance, std::int64_t others) {
  auto const& message = instance.detail->message;
  auto text =
      fmt::format("{}.{}: {}", head.name, instance.slot, message.empty() ? std::string(model::to_string(instance.reason)) : message);
  if (others > 0) text += fmt::format(" (and {} more)", others);
  return text;
}

}  // namespace

ServiceStatus status_of(model::Head const& head, std::span<Instance const> instances) {
  ServiceStatus status;
  status.desired = head.removing ? 0 : head.spec()->instances;
  Instance const* trouble = nullptr;
  std::int64_t troubles = 0;
  for (auto const& instance : instances) {
    if (instance.state == InstanceState::Running && !instance.stop_sent) {
      ++status.running;
      if (instance.revision == head.revision) ++status.updated;
    }
    if (instance.is_ready()) ++status.ready;
    if (is_in_trouble(instance)) {
      ++troubles;
      if (!trouble) trouble = &instance;
    }
  }
  status.state = state_of(head, status, trouble != nullptr);
  if (head.rollout.state == RolloutState::Stopped) {
    auto const* what = head.rollout.is_rollback ? "rollback" : "update";
    status.message = fmt::format("{} to revision {} stopped: {}", what, head.rollout.to, head.rollout.message);
  } else if (trouble && !head.removing) {
    status.message = trouble_text(head, *trouble, troubles - 1);
  }
  return status;
}

}  // namespace davit::service
