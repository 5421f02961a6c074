#include "sim/rules/double_rule.hpp"

#include <algorithm>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "core/guard/guard.hpp"

namespace davit::sim {
namespace {

constexpr Duration kGuardLooks = guard::kLookEvery + 100ms;
constexpr Duration kGuardKills = guard::kKillAfter + 100ms;

}  // namespace

void DoubleRule::on_container_changed(NodeId id, model::ContainerDetail const& container) {
  if (!is_leased(container) || container.name.starts_with(kForeign)) return;
  findings_.checked();
  Slot const slot{container.labels.at("davit.uid"), container.labels.at("davit.slot")};
  auto& rivals = running_[slot];
  if (container.state != model::ContainerState::Running) {
    rivals.erase({id, container.id});
    if (rivals.empty()) running_.erase(slot);
    return;
  }
  auto const& agent = cluster_->agent(id);
  bool const is_late = agent.lease_end(container.id) <= agent.machine().now().monotonic;
  rivals.try_emplace({id, container.id}, Running{container.name, loop_.now().monotonic, is_late});
  judge(rivals);
}

void DoubleRule::look() {
  for (auto const& [slot, rivals] : running_) judge(rivals);
}

// What is suspended does not run.
void DoubleRule::judge(Rivals const& rivals) {
  if (rivals.size() < 2) return;
  std::vector<std::string> all;
  bool is_borne = false;
  for (auto const& [where, running] : rivals) {
    auto const& machine = cluster_->agent(where.first).machine();
    if (machine.is_suspended()) continue;
    all.push_back(fmt::format("{} on {}", running.name, machine.name()));
    auto const now = loop_.now().monotonic;
    is_borne = is_borne || (running.is_late && now - running.since <= kGuardLooks) || now - machine.woken_at() <= kGuardKills;
  }
  if (all.size() > 1 && !is_borne) findings_.add("double", fmt::format("{} run at a time", fmt::join(all, " and ")));
}

}  // namespace davit::sim
