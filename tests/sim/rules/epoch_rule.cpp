#include "sim/rules/epoch_rule.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace davit::sim {
namespace {

constexpr Duration kOldestView = 2050ms;  // two, by the slowest clock, and something to spare

Fence const* fence_of(model::ToAgent const& message) {
  if (auto const* run = std::get_if<model::RunInstance>(&message)) return &run->fence;
  if (auto const* stop = std::get_if<model::StopInstance>(&message)) return &stop->fence;
  return nullptr;
}

}  // namespace

void EpochRule::on_sent_to_agent(NodeId master, NodeId agent, model::ToAgent const& message) {
  check_order(master, agent, message);
  auto const* answer = std::get_if<model::BeatBack>(&message);
  if (answer && answer->grant) check_view(master, agent, "grants");
}

void EpochRule::on_sent_to_peer(NodeId master, NodeId, model::PeerMessage const& message) {
  auto const* relayed = std::get_if<model::RelayToAgent>(&message);
  if (relayed) check_order(master, relayed->node, relayed->message);
}

void EpochRule::check_order(NodeId master, NodeId agent, model::ToAgent const& message) {
  auto const* fence = fence_of(message);
  if (!fence) return;
  auto const* grant = journals_.find_grant(*fence);
  if (grant && grant->owner != master) return;  // passed on for the one who has it
  findings_.checked();
  if (!grant)
    return findings_.add("epoch", fmt::format("master {} orders under {}@{}, which was never granted", master.value, fence->shard.value,
                                              to_string(fence->epoch)));
  check_view(master, agent, "orders");
  auto const& grants = journals_.grants(fence->shard);
  auto const next = std::ranges::upper_bound(grants, fence->epoch.revision, {}, &JournalRule::Grant::revision);
  if (next == grants.end() || loop_.now().monotonic - next->at <= kOldestView) return;
  findings_.add("epoch", fmt::format("master {} orders agent {} under {}@{}, which has been superseded for {}", master.value, agent.value,
                                     fence->shard.value, to_string(fence->epoch), format_duration(loop_.now().monotonic - next->at)));
}

void EpochRule::check_view(NodeId id, NodeId agent, std::string_view what) {
  auto const node = std::ranges::find_if(cluster_->masters(), [&](auto const& each) { return each->machine().id() == id; });
  auto const* master = (*node)->master();
  auto const needed = journals_.revision_at(loop_.now().monotonic - kOldestView);
  if (!master || master->view().revision >= needed) return;
  findings_.add("epoch", fmt::format("master {} {} to agent {} by a view that ends at {}, though {} was written {} ago", id.value, what,
                                     agent.value, master->view().revision, needed, format_duration(kOldestView)));
}

void EpochRule::on_received_by_agent(NodeId agent, model::ToAgent const& message) {
  if (auto const* run = std::get_if<model::RunInstance>(&message)) agents_[agent].offers[run->id] = run->fence;
}

void EpochRule::on_sent_by_agent(NodeId agent, NodeId, model::ToMaster const& message) {
  auto& seen = agents_[agent];
  if (auto const* stored = std::get_if<model::FencesStored>(&message)) {
    for (auto const& fence : stored->fences) {
      findings_.checked();
      auto& highest = seen.highest[fence.shard.value];
      if (fence.epoch < highest) {
        findings_.add("epoch", fmt::format("agent {} answers {}@{} after {}", agent.value, fence.shard.value, to_string(fence.epoch),
                                           to_string(highest)));
      }
      highest = std::max(highest, fence.epoch);
    }
  } else if (auto const* verdict = std::get_if<model::Verdict>(&message); verdict && verdict->admitted) {
    findings_.checked();
    auto const offer = seen.offers.find(verdict->id);
    if (offer == seen.offers.end() || offer->second.epoch < seen.highest[offer->second.shard.value])
      findings_.add("epoch",
                    fmt::format("agent {} admits {} without an offer under its newest epoch", agent.value, to_string(verdict->id)));
  }
}

}  // namespace davit::sim
