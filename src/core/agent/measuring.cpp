// What the node's instances use: the engine is asked for one after the other, and masters are told of those whose use has changed.
#include <algorithm>
#include <limits>

#include "core/agent/agent.hpp"

namespace davit::agent {
namespace {

constexpr Duration kMeasureInterval = 10s;
constexpr Duration kStatsLimit = 5s;
constexpr Duration kShortestWindow = 1s;  // less says nothing of the use of a processor

// Small and relative changes are no news: most instances idle, and then nothing is said of them.
bool is_news(std::uint32_t now, std::uint32_t told, std::uint32_t least) {
  auto const difference = now > told ? now - told : told - now;
  return difference >= std::max(least, told / 10);
}

bool is_news(model::InstanceUse const& now, std::optional<model::InstanceUse> const& told) {
  return !told || is_news(now.millicores, told->millicores, 10) || is_news(now.memory_kib, told->memory_kib, 1024);
}

std::uint32_t clamped(std::int64_t value) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(value, 0, std::numeric_limits<std::uint32_t>::max()));
}

}  // namespace

// One call at a time: an engine that is slow gets fewer of them, and an instance's own calls never wait for one.
void Agent::measure_instances() {
  if (!engine_up_ || measure_op_ != 0) return;
  if (!is_measuring_) {
    if (now_.monotonic < next_measure_) return;
    is_measuring_ = true;
    next_measure_ = now_.monotonic + kMeasureInterval;
    for (auto const& [id, instance] : instances_) to_measure_.push_back(id);
  }
  while (!to_measure_.empty()) {
    auto const* instance = find(to_measure_.front());
    if (instance && is_measurable(*instance)) {
      measure_op_ = call(model::ReadStats{instance->container.id}, kStatsLimit);
      return;
    }
    to_measure_.pop_front();
  }
  is_measuring_ = false;
  tell_uses();
}

bool Agent::is_measurable(Instance const& instance) const {
  bool const runs = instance.phase == Phase::Running && instance.started_at && !instance.container.id.empty();
  return runs && now_.monotonic - *instance.started_at >= kShortestWindow;
}

void Agent::on_measured(Result<model::EngineReply> const& outcome) {
  auto* instance = find(to_measure_.front());
  to_measure_.pop_front();
  // Of another container by now, or of none.
  if (!outcome || !instance || !is_measurable(*instance)) return;
  auto const& stats = std::get<model::ContainerStats>(*outcome);
  if (stats.memory.count == 0) return;  // what the engine says of one that has ended
  // The first time, or after a restart: the mean since its start.
  bool const goes_on = instance->measured_at > *instance->started_at && stats.cpu_time >= instance->cpu_time;
  auto const window = now_.monotonic - (goes_on ? instance->measured_at : *instance->started_at);
  auto const spent = stats.cpu_time - (goes_on ? instance->cpu_time : Duration::zero());
  if (window < kShortestWindow) return;
  instance->cpu_time = stats.cpu_time;
  instance->measured_at = now_.monotonic;
  instance->use = model::InstanceUse{clamped(spent / (window / 1000)), clamped(stats.memory.count >> 10)};
}

// Whoever has asked for everything since the last time has not heard what was told before.
void Agent::tell_uses() {
  model::InstancesMeasured message;
  for (auto& [id, instance] : instances_) {
    if (instance.phase != Phase::Running || !instance.use) continue;
    if (!must_tell_all_uses_ && !is_news(*instance.use, instance.told_use)) continue;
    instance.told_use = instance.use;
    message.some.push_back({id, instance.identity.uid, instance.identity.slot, *instance.use});
  }
  must_tell_all_uses_ = false;
  if (!message.some.empty()) send_all(message);
}

}  // namespace davit::agent
