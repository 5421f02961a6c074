#include "core/service/status.hpp"

#include <optional>

#include <fmt/core.h>

namespace davit::service {
namespace {

using model::InstanceState;
using model::RolloutState;

bool is_in_trouble(Instance const& instance) {
  if (instance.stop_sent || instance.is_ready()) return false;
  return instance.reason != model::Reason::None || instance.health == model::Health::Unhealthy;
}

// The end of a rollout that bore failures shows as long as not all is as it was to be.
bool lacks_updates(model::Head const& head, ServiceStatus const& status) {
  return head.rollout.state == RolloutState::Incomplete && status.updated < status.desired;
}

State state_of(model::Head const& head, ServiceStatus const& status, bool in_trouble) {
  if (head.removing) return State::Removing;
  switch (head.rollout.state) {
    case RolloutState::Active: return head.rollout.is_rollback ? State::RollingBack : State::Updating;
    case RolloutState::Paused:
    case RolloutState::Stopped: return State::Paused;
    case RolloutState::None:
    case RolloutState::Incomplete:
    case RolloutState::RolledBack: break;
  }
  if (in_trouble || lacks_updates(head, status)) return State::Degraded;
  return status.ready >= status.desired ? State::Running : State::Converging;
}

struct Trouble {
  Instance const* instance = nullptr;
  bool is_cut_off = false;
};

std::string trouble_text(model::Head const& head, Trouble const& trouble, std::int64_t others) {
  auto const& [of, is_cut_off] = trouble;
  auto const& instance = *of;
  auto const& message = instance.detail->rare->message;
  auto const reason = message.empty() ? model::to_string(instance.reason) : std::string_view(message);
  auto text = fmt::format("{}.{}: {}", head.name, instance.slot, is_cut_off ? "its node does not answer: davit node ls" : reason);
  if (others > 0) text += fmt::format(" (and {} more)", others);
  return text;
}

// How far a rollout has come and what came of it; "" where there is nothing to say.
std::string rollout_text(model::Head const& head, ServiceStatus const& status) {
  auto const& rollout = head.rollout;
  auto const way = [&] { return fmt::format("{} to revision {}", rollout.is_rollback ? "rollback" : "update", rollout.to); };
  auto const progress = [&] {
    return fmt::format("{}/{} {}", status.updated, status.desired, rollout.is_rollback ? "rolled back" : "updated");
  };
  switch (rollout.state) {
    case RolloutState::None: return {};
    case RolloutState::Active:
      // Of an automatic rollback the message tells why the update failed that it leads back from.
      if (!rollout.is_automatic) return progress();
      return fmt::format("update to revision {} failed: {}; {}", rollout.from, rollout.message, progress());
    case RolloutState::Paused: return fmt::format("{} is paused: {}", way(), progress());
    case RolloutState::Stopped: return fmt::format("{} stopped: {}", way(), rollout.message);
    case RolloutState::RolledBack: return fmt::format("update to revision {} was rolled back: {}", rollout.from, rollout.message);
    case RolloutState::Incomplete:
      return lacks_updates(head, status) ? fmt::format("{} is incomplete, {}: {}", way(), progress(), rollout.message) : std::string();
  }
  return {};
}

// Instances come by slot. Two of one slot, in an update or a move, count once: they do not make up for a slot that has none.
struct SlotCount {
  std::int64_t slots = 0;
  std::uint32_t last = 0;
  void add(Instance const& instance, bool counts) {
    if (!counts || instance.slot == last) return;
    last = instance.slot;
    ++slots;
  }
};

}  // namespace

ServiceStatus status_of(model::Head const& head, InstanceRefs const& instances, std::set<NodeIx> const& unreachable) {
  ServiceStatus status;
  status.desired = head.removing ? 0 : head.spec()->instances;
  std::optional<Trouble> trouble;
  std::int64_t troubles = 0;
  Instance const* stranded = nullptr;
  SlotCount running;
  SlotCount updated;
  SlotCount ready;
  for (auto const* each : instances) {
    auto const& instance = *each;
    bool const runs = instance.state == InstanceState::Running && !instance.stop_sent;
    if (!head.removing && instance.slot > static_cast<std::uint32_t>(status.desired)) continue;
    running.add(instance, runs);
    updated.add(instance, runs && instance.revision == head.revision);
    bool const is_cut_off = !unreachable.empty() && unreachable.contains(instance.node) && !instance.stop_sent;
    ready.add(instance, instance.is_ready() && !is_cut_off);
    if (is_cut_off || is_in_trouble(instance)) {
      ++troubles;
      if (!trouble) trouble = Trouble{&instance, is_cut_off};
    }
    if (!stranded && instance.is_stranded()) stranded = &instance;
  }
  status.running = running.slots;
  status.updated = updated.slots;
  status.ready = ready.slots;
  status.state = state_of(head, status, trouble.has_value());
  if (head.removing) return status;
  status.message = rollout_text(head, status);
  if (stranded && head.rollout.state == RolloutState::Active)
    status.message += fmt::format("; {}.{} would have to stop first, and no node would take the next one: davit service explain {}",
                                  head.name, stranded->slot, head.name);
  bool const tells_enough = head.rollout.state == RolloutState::Stopped || lacks_updates(head, status);
  if (trouble && !tells_enough) {
    auto const text = trouble_text(head, *trouble, troubles - 1);
    bool const is_past = head.rollout.state == RolloutState::RolledBack;
    status.message = status.message.empty() || is_past ? text : fmt::format("{}; {}", status.message, text);
  }
  return status;
}

}  // namespace davit::service
