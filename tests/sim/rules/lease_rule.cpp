#include "sim/rules/lease_rule.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace davit::sim {
namespace {

bool refuses(model::AgentState const& state, model::InstanceGone const& gone) {
  if (gone.token <= state.refused_below) return true;
  auto const claim = state.slots.find({gone.uid, gone.slot});
  return claim != state.slots.end() && (claim->second.is_refused ? gone.token <= claim->second.token : gone.token < claim->second.token);
}

}  // namespace

void LeaseRule::on_received_by_agent(NodeId id, model::ToAgent const& message) {
  auto& agent = agents_[id];
  if (auto const* offer = std::get_if<model::RunInstance>(&message)) agent.stop_after = std::max(agent.stop_after, offer->stop_after);
  auto const* answer = std::get_if<model::BeatBack>(&message);
  if (!answer || !answer->grant) return;
  auto const now = cluster_->agent(id).machine().now().monotonic;
  if (agent.granted > now) agent.granted = {};  // that was before the machine's last boot
  if (answer->grant->agent_clock <= now) agent.granted = std::max(agent.granted, answer->grant->agent_clock);
}

void LeaseRule::on_sent_by_agent(NodeId id, NodeId, model::ToMaster const& message) {
  auto const* gone = std::get_if<model::InstanceGone>(&message);
  if (!gone || gone->token == 0) return;
  findings_.checked();
  if (refuses(cluster_->agent(id).state(), *gone)) return;
  findings_.add("lease", fmt::format("agent {} gives back {} with token {}, which its disk does not refuse", id.value, to_string(gone->id),
                                     gone->token));
}

void LeaseRule::on_engine_called(NodeId id, model::EngineCall const& call) {
  auto const* start = std::get_if<model::StartContainer>(&call);
  if (!start) return;
  auto const& agent = cluster_->agent(id);
  auto const* container = agent.engine().find(start->id);
  if (!container || !is_leased(container->detail)) return;
  findings_.checked();
  if (agent.lease_end(start->id) > agent.machine().now().monotonic) return;
  findings_.add("lease", fmt::format("agent {} starts {}, of which its guard does not know", id.value, container->detail.name));
}

void LeaseRule::look() {
  for (auto const& node : cluster_->agents()) {
    if (node->leases().empty()) continue;
    findings_.checked();
    auto const id = node->machine().id();
    auto const& agent = agents_[id];
    for (auto const& lease : node->leases()) {
      if (lease.end <= agent.granted + agent.stop_after) continue;
      findings_.add("lease", fmt::format("agent {} lets {} run for {} longer than any grant allows", id.value, lease.container,
                                         format_duration(lease.end - agent.granted - agent.stop_after)));
    }
  }
}

}  // namespace davit::sim
