#include "sim/rules/silence_rule.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace davit::sim {
namespace {

constexpr Duration kLongestSilence = 18s;  // six to suspect, as much for a testimony that has to be written twice, some to settle

}  // namespace

void SilenceRule::on_received_by_agent(NodeId agent, model::ToAgent const& message) {
  if (std::holds_alternative<model::BeatBack>(message)) reached_at_[agent] = loop_.now().monotonic;
}

void SilenceRule::look() {
  auto const now = loop_.now().monotonic;
  if (!are_masters_well()) unwell_at_ = now;
  for (auto const& [id, node] : journals_.nodes()) {
    auto& reached_at = reached_at_.try_emplace(id, now).first->second;
    if (node.status != model::NodeStatus::Up) reached_at = now;
    if (now - std::max(reached_at, unwell_at_) < kLongestSilence) continue;
    findings_.checked();
    findings_.add("silence",
                  fmt::format("node {} is up, though no master has reached it for {}", id.value, format_duration(now - reached_at)));
  }
}

// One of them coordinates, and none was paused or out of reach of the store, nor waits for its answers. It takes their testimony.
bool SilenceRule::are_masters_well() const {
  if (cluster_->store().is_flaky() || cluster_->store().data().is_nearly_full()) return false;
  bool has_coordinator = false;
  for (auto const& node : cluster_->masters()) {
    auto const* process = node->machine().process();
    auto const* master = node->master();
    if (!master || !process || process->is_paused() || master->phase() != master::Phase::Active) return false;
    if (master->view_age(process->now().monotonic)) return false;
    has_coordinator = has_coordinator || master->is_coordinator();
  }
  return has_coordinator;
}

}  // namespace davit::sim
