#include "sim/rules/fence_rule.hpp"

#include <fmt/core.h>

namespace davit::sim {

void FenceRule::on_agent_started(NodeId agent) {
  auto& found = found_[agent];
  found.clear();
  for (auto const& [id, container] : cluster_->agent(agent).engine().containers()) {
    auto const& detail = container.detail;
    if (detail.state == model::ContainerState::Running && !detail.name.starts_with(kForeign)) found.insert(id);
  }
}

void FenceRule::on_sent_by_agent(NodeId id, NodeId, model::ToMaster const& message) {
  auto const* stored = std::get_if<model::FencesStored>(&message);
  if (!stored) return;
  findings_.checked();
  auto const& agent = cluster_->agent(id);
  for (auto const& fence : stored->fences) {
    if (agent.state().epochs[fence.shard.value] >= fence.epoch) continue;
    findings_.add("fence",
                  fmt::format("agent {} answers for {}@{}, which is not on its disk", id.value, fence.shard.value, to_string(fence.epoch)));
  }
  std::set<std::string> listed;
  for (auto const& report : stored->all) listed.insert(to_string(report.id));
  for (auto const& each : found_[id]) {
    auto const* container = agent.engine().find(each);
    if (!container || container->detail.state != model::ContainerState::Running) continue;
    if (!listed.contains(container->detail.labels.at("davit.instance")))
      findings_.add("fence", fmt::format("agent {} does not list {}, which has run all the time", id.value, container->detail.name));
  }
}

}  // namespace davit::sim
