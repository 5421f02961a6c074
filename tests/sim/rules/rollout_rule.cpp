#include "sim/rules/rollout_rule.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

namespace davit::sim {
namespace {

// Clocks go by a thousandth wrong, and a container runs a little before its engine says so.
Duration with_tolerance(Duration time) { return time + time / 100 + 10ms; }

constexpr Duration kLongestAppend = 15s;  // from a decision to its commit

// Of all that have been in force while the instances of today were watched.
Duration shortest_monitor(model::Head const& head) {
  auto shortest = Duration::max();
  for (auto const& [number, content] : head.revisions) {
    shortest = std::min(shortest, content.spec->update_config.monitor);
    if (content.spec->rollback_config) shortest = std::min(shortest, content.spec->rollback_config->monitor);
  }
  return shortest;
}

}  // namespace

void RolloutRule::on_committed(ports::Commit const&, ports::Committed const&) {
  auto const* event = journals_.appended();
  if (!event) return;
  auto const* completed = std::get_if<model::RolloutCompleted>(&event->event.body);
  if (completed && !completed->is_partial) check_end(journals_.heads().at(event->service));
}

void RolloutRule::check_end(model::Head const& head) {
  findings_.checked();
  auto const monitor = shortest_monitor(head);
  auto const now = loop_.now().monotonic;
  auto const& grants = journals_.grants(shard_of(head.name));
  auto const owner = grants.empty() ? NodeId{} : grants.back().owner;
  for (std::uint32_t number = 1; number <= static_cast<std::uint32_t>(head.spec()->instances); ++number) {
    auto& slot = slots_[{head.uid, number}];
    if (slot.homeless_until > now - kLongestAppend) continue;
    Duration longest{};
    for (auto const instance : slot.instances[head.revision]) longest = std::max(longest, served(owner, instance));
    if (with_tolerance(longest) < monitor)
      findings_.add("rollout", fmt::format("the rollout of {} to revision {} is completed, and {}.{} has served for {} of {}", head.name,
                                           head.revision, head.name, number, format_duration(longest), format_duration(monitor)));
  }
}

Duration RolloutRule::served(NodeId owner, InstanceId instance) const {
  auto const found = served_.find(instance);
  if (found == served_.end()) return {};
  auto const& served = found->second;
  auto const now = loop_.now().monotonic;
  auto const seen = seen_ended_.find({owner, instance});
  auto const is_known = [&](Monotonic ended) {
    if (seen == seen_ended_.end()) return false;
    auto const first = std::ranges::lower_bound(seen->second, ended);
    return first != seen->second.end() && *first < now - kLongestAppend;
  };
  auto longest = served.since == kNever ? served.told : std::max(served.told, now - served.since);
  for (auto const& run : served.runs) longest = std::max(longest, (is_known(run.ended) ? run.ended : now) - run.since);
  return longest;
}

void RolloutRule::on_container_changed(NodeId agent, model::ContainerDetail const& container) {
  bool const is_well = container.state == model::ContainerState::Running && container.health != model::Health::Starting &&
                       container.health != model::Health::Unhealthy;
  if (!is_well) return;
  well_since_.try_emplace({agent, container.id}, loop_.now().monotonic);
  if (auto const label = container.labels.find("davit.instance"); label != container.labels.end())
    instances_well_since_.try_emplace(label->second, loop_.now().monotonic);
}

void RolloutRule::on_sent_by_agent(NodeId agent, NodeId, model::ToMaster const& message) {
  if (auto const* changed = std::get_if<model::InstanceChanged>(&message)) take(agent, changed->report);
  if (auto const* stored = std::get_if<model::FencesStored>(&message)) {
    for (auto const& report : stored->all) take(agent, report);
  }
}

void RolloutRule::take(NodeId agent, model::InstanceReport const& report) {
  slots_[{report.uid, report.slot}].instances[report.revision].insert(report.id);
  auto& served = served_[report.id];
  auto const now = loop_.now().monotonic;
  if (served.since != kNever && (!report.ready || served.container != report.container.id)) {
    served.runs.push_back({std::exchange(served.since, kNever), now});
  }
  served.told = std::max(served.told, report.served_for);
  check_told(agent, report);
  if (!report.ready) return;
  findings_.checked();
  served.container = report.container.id;
  auto const well = well_since_.find({agent, report.container.id});
  if (well == well_since_.end())
    return findings_.add("rollout", fmt::format("agent {} reports {} as ready, whose container {} has never run well", agent.value,
                                                to_string(report.id), report.container.id));
  if (report.ready_ago > with_tolerance(now - well->second))
    findings_.add("rollout", fmt::format("agent {} reports {} as ready for {}, whose container runs well for {}", agent.value,
                                         to_string(report.id), format_duration(report.ready_ago), format_duration(now - well->second)));
  served.since = std::min(served.since, std::max(now - report.ready_ago, well->second));
}

void RolloutRule::check_told(NodeId agent, model::InstanceReport const& report) {
  findings_.checked();
  if (report.served_for == Duration::zero()) return;
  auto const well = instances_well_since_.find(to_string(report.id));
  auto const longest = well == instances_well_since_.end() ? Duration::zero() : loop_.now().monotonic - well->second;
  if (report.served_for > with_tolerance(longest))
    findings_.add("rollout", fmt::format("agent {} reports that {} served for {}, which has run well for {}", agent.value,
                                         to_string(report.id), format_duration(report.served_for), format_duration(longest)));
}

void RolloutRule::on_transition(NodeId master, master::Transition const& change) {
  if (change.slot != 0 && change.type != "instance.running") seen_ended_[{master, change.instance}].push_back(loop_.now().monotonic);
  auto const head = journals_.heads().find(change.service);
  bool const is_homeless = change.slot != 0 && change.type == "instance.pending" && head != journals_.heads().end();
  if (is_homeless) slots_[{head->second.uid, change.slot}].homeless_until = kNever;
}

void RolloutRule::on_sent_to_agent(NodeId, NodeId, model::ToAgent const& message) {
  auto const* offer = std::get_if<model::RunInstance>(&message);
  if (!offer) return;
  auto& until = slots_[{offer->uid, offer->slot}].homeless_until;
  until = std::min(until, loop_.now().monotonic);
}

}  // namespace davit::sim
