#include "sim/rules/container_rule.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace davit::sim {
namespace {

std::string label_of(model::ContainerDetail const& container, char const* key) {
  auto const found = container.labels.find(key);
  return found == container.labels.end() ? std::string{} : found->second;
}

}  // namespace

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
  bool const is_well = detail.state == model::ContainerState::Running && detail.health != model::Health::Unhealthy;
  bool const has_lease = detail.labels.contains("davit.token");
  auto const& node = cluster_->agent(agent);
  if (has_lease && node.lease_end(id) <= node.machine().now().monotonic) return;
  if (!is_ending || !is_well || agents_[agent].to_stop.contains(label_of(detail, "davit.instance"))) return;
  findings_.add("needless_restart", fmt::format("agent {} {} the healthy container {} without a command", agent.value, what, detail.name));
}

}  // namespace davit::sim
