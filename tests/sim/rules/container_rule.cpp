#include "sim/rules/container_rule.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace davit::sim {
namespace {

// Several have to fail, and what is paused cannot act on them at once.
constexpr Duration kProbeCounts = 60s;

std::string label_of(model::ContainerDetail const& container, char const* key) {
  auto const found = container.labels.find(key);
  return found == container.labels.end() ? std::string{} : found->second;
}

bool is_well(model::ContainerDetail const& container) {
  return container.state == model::ContainerState::Running && container.health != model::Health::Unhealthy;
}

}  // namespace

void ContainerRule::on_container_changed(NodeId id, model::ContainerDetail const& container) {
  auto& agent = agents_[id];
  if (is_well(container)) {
    agent.well_since.try_emplace(container.id, loop_.now().monotonic);
    return;
  }
  agent.well_since.erase(container.id);
  if (cluster_->agent(id).engine().find(container.id)) return;
  agent.inspected_at.erase(container.id);
  agent.ending.erase(container.id);
}

void ContainerRule::on_received_by_agent(NodeId id, model::ToAgent const& message) {
  auto const* stop = std::get_if<model::StopInstance>(&message);
  if (!stop) return;
  auto& agent = agents_[id];
  if (stop->fence.epoch >= agent.answered[stop->fence.shard.value]) agent.to_stop.insert(to_string(stop->id));
}

void ContainerRule::on_sent_by_agent(NodeId id, NodeId, model::ToMaster const& message) {
  auto const* stored = std::get_if<model::FencesStored>(&message);
  if (!stored) return;
  for (auto const& fence : stored->fences) {
    auto& answered = agents_[id].answered[fence.shard.value];
    answered = std::max(answered, fence.epoch);
  }
}

void ContainerRule::on_engine_called(NodeId agent, model::EngineCall const& call) {
  if (auto const* inspect = std::get_if<model::InspectContainer>(&call))
    agents_[agent].inspected_at[inspect->id_or_name] = loop_.now().monotonic;
  if (auto const* start = std::get_if<model::StartContainer>(&call)) check(agent, start->id, "starts", false);
  if (auto const* stop = std::get_if<model::StopContainer>(&call)) check(agent, stop->id, "stops", true);
  if (auto const* kill = std::get_if<model::KillContainer>(&call)) check(agent, kill->id, "kills", true);
  if (auto const* remove = std::get_if<model::RemoveContainer>(&call)) check(agent, remove->id, "removes", true);
}

void ContainerRule::check(NodeId agent, std::string const& id, std::string_view what, bool is_ending) {
  findings_.checked();
  auto const* container = cluster_->agent(agent).engine().find(id);
  if (!container) return;
  auto const& detail = container->detail;
  if (detail.name.starts_with(kForeign)) {
    return findings_.add("foreign_container", fmt::format("agent {} {} the foreign container {}", agent.value, what, detail.name));
  }
  if (!is_ending || agents_[agent].ending.contains(detail.id)) return;
  if (has_reason_to_end(agent, detail)) {
    agents_[agent].ending.insert(detail.id);
    return;
  }
  findings_.add("needless_restart", fmt::format("agent {} {} the healthy container {} without a command", agent.value, what, detail.name));
}

bool ContainerRule::has_reason_to_end(NodeId id, model::ContainerDetail const& container) {
  auto& agent = agents_[id];
  auto const& node = cluster_->agent(id);
  bool const has_lease = is_leased(container);
  if (has_lease && node.lease_end(container.id) <= node.machine().now().monotonic) return true;
  bool const is_probed = !label_of(container, "davit.probe").empty();
  if (is_probed && node.probe_failed_at() > node.machine().now().monotonic - kProbeCounts) return true;
  if (!is_well(container) || agent.to_stop.contains(label_of(container, "davit.instance"))) return true;
  auto const inspected = agent.inspected_at.find(container.id);
  return inspected != agent.inspected_at.end() && agent.well_since[container.id] >= inspected->second;
}

}  // namespace davit::sim
