#include "sim/rules/takeover_rule.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace davit::sim {
namespace {

constexpr Duration kWait = 2900ms;  // three seconds by a clock that may be fast
constexpr Duration kSettled = 20s;   // by then every view shows what became of a node

}  // namespace

// A node that was down, or is new, has instances of its own to tell of: what was noted of it before says nothing.
void TakeoverRule::on_committed(ports::Commit const& commit, ports::Committed const& committed) {
  for (auto const& [id, node] : journals_.nodes()) {
    bool const is_written = std::ranges::any_of(commit.operations, [&](auto const& operation) {
      auto const* put = std::get_if<ports::Put>(&operation);
      return put && put->key == model::node_key(id);
    });
    if (!is_written) continue;
    recorded_in_[id] = committed.revision;
    recorded_at_[id] = loop_.now().monotonic;
    for (auto const& [slot, all] : serving_) {
      for (auto const& [instance, serving] : all) {
        if (serving.agent == id) noted_.erase(instance);
      }
    }
  }
}

void TakeoverRule::on_sent_to_agent(NodeId master, NodeId agent, model::ToAgent const& message) { check(master, agent, message); }

void TakeoverRule::on_sent_to_peer(NodeId master, NodeId, model::PeerMessage const& message) {
  auto const* relayed = std::get_if<model::RelayToAgent>(&message);
  if (relayed) check(master, relayed->node, relayed->message);
}

void TakeoverRule::on_sent_by_agent(NodeId agent, NodeId, model::ToMaster const& message) {
  if (auto const* changed = std::get_if<model::InstanceChanged>(&message)) take(agent, changed->report);
  if (auto const* gone = std::get_if<model::InstanceGone>(&message)) serving_[{gone->uid, gone->slot}].erase(gone->id);
  if (auto const* verdict = std::get_if<model::Verdict>(&message)) known_.insert(verdict->id);
  auto const* stored = std::get_if<model::FencesStored>(&message);
  if (!stored) return;
  for (auto const& report : stored->all) take(agent, report);
}

void TakeoverRule::take(NodeId agent, model::InstanceReport const& report) {
  known_.insert(report.id);
  auto& all = serving_[{report.uid, report.slot}];
  if (report.ready && report.token == 0) {
    all[report.id] = {agent, report.revision};
    return;
  }
  all.erase(report.id);
  noted_.erase(report.id);
}

void TakeoverRule::look() {
  for (auto const& node : cluster_->masters()) {
    auto const* master = node->master();
    if (!master) continue;
    for (auto const& [name, service] : master->services()) {
      for (auto const& instance : service.instances) {
        auto const* at = master->node(instance.node);
        if (at && at->answered.test(service.shard.value) && instance.is_ready()) noted_[instance.id].insert(node->machine().id());
      }
    }
  }
}

void TakeoverRule::check(NodeId id, NodeId agent, model::ToAgent const& message) {
  auto const* offer = std::get_if<model::RunInstance>(&message);
  auto const* stop = std::get_if<model::StopInstance>(&message);
  if (!offer && !stop) return;
  auto const* grant = journals_.find_grant(offer ? offer->fence : stop->fence);
  if (!grant || grant->owner != id) return;  // passed on, or what the epoch rule complains of
  if (stop) {
    if (auto const noted = noted_.find(stop->id); noted != noted_.end()) noted->second.erase(id);
    return check_rivals(id, *stop);
  }
  if (offer->token != 0 || known_.contains(offer->id)) return;
  findings_.checked();
  if (offer->uid.revision < grant->revision) check_answers(id, *offer, *grant);
  check_need(id, agent, *offer);
}

void TakeoverRule::check_answers(NodeId id, model::RunInstance const& offer, JournalRule::Grant const& grant) {
  if (loop_.now().monotonic - grant.at >= kWait) return;
  for (auto const& [node, record] : journals_.nodes()) {
    bool const is_awaited = record.status != model::NodeStatus::Down && recorded_in_[node] < grant.revision;
    if (!is_awaited || answers_.has_answered(node, offer.fence)) continue;
    findings_.add("takeover", fmt::format("master {} places {}.{} before node {} has answered its fence {}", id.value, offer.service,
                                          offer.slot, node.value, to_string(offer.fence.epoch)));
  }
}

void TakeoverRule::check_need(NodeId id, NodeId agent, model::RunInstance const& offer) {
  auto const* master = find_master(id);
  auto const* service = master ? master->find_service(offer.service) : nullptr;
  if (!service || service->head.rollout.state != model::RolloutState::None) return;
  for (auto const& [instance, serving] : serving_[{offer.uid, offer.slot}]) {
    auto const node = journals_.nodes().find(serving.agent);
    bool const is_up = node != journals_.nodes().end() && node->second.status == model::NodeStatus::Up &&
                       node->second.availability != model::Availability::Drain;
    auto const seen = master->view().nodes.find(serving.agent);
    bool const is_to_leave = seen == master->view().nodes.end() || seen->second.record.availability == model::Availability::Drain ||
                             seen->second.record.status != model::NodeStatus::Up;
    bool const is_current = serving.revision == offer.revision && cluster_->agent(serving.agent).runs_well(instance);
    auto const move = service->placing.moves.find(offer.slot);
    bool const is_asked_for = move != service->placing.moves.end() && move->second.id == instance &&
                              master->node(move->second.to)->record.id == agent;  // a rebalance
    bool const is_settled = loop_.now().monotonic - recorded_at_[serving.agent] >= kSettled;
    auto const* known = service->find(offer.slot, instance);
    bool const is_to_stop = known && known->stop_sent;  // as soon as its agent can be told
    auto const noted = noted_.find(instance);
    bool const is_noted = noted != noted_.end() && noted->second.contains(id);
    if (is_asked_for || is_to_stop || !is_settled || !is_up || is_to_leave || !is_current || !is_noted) continue;
    findings_.add("takeover", fmt::format("master {} places {}.{} beside {}, which serves on node {}", id.value, offer.service, offer.slot,
                                          to_string(instance), serving.agent.value));
  }
}

void TakeoverRule::check_rivals(NodeId id, model::StopInstance const& stop) {
  auto const* master = find_master(id);
  if (!master || stop.reason != model::Reason::Replaced || stop.token != 0) return;
  if (!stopped_.emplace(id, stop.id).second) return;  // it is said again
  auto const known = std::ranges::find_if(master->services(), [&](auto const& each) { return each.second.head.uid == stop.uid; });
  if (known == master->services().end() || known->second.head.rollout.state != model::RolloutState::None) return;
  auto const& all = serving_[{stop.uid, stop.slot}];
  auto const serving = all.find(stop.id);
  if (serving == all.end() || serving->second.revision != known->second.head.revision) return;
  auto const node = master->view().nodes.find(serving->second.agent);
  bool const is_to_leave = node == master->view().nodes.end() || node->second.record.availability == model::Availability::Drain;
  if (is_to_leave || !cluster_->agent(serving->second.agent).runs_well(stop.id)) return;
  findings_.checked();
  bool has_rival = false;
  bool has_unanswered_rival = false;
  for (auto const& instance : known->second.instances) {
    auto const* at = master->node(instance.node);
    if (instance.slot != stop.slot || instance.id == stop.id || !instance.is_ready() || !at) continue;
    (answers_.has_answered(at->record.id, stop.fence) ? has_rival : has_unanswered_rival) = true;
  }
  if (has_unanswered_rival && !has_rival) {
    findings_.add("takeover", fmt::format("master {} stops {} for the sake of another one, whose agent has not answered its fence",
                                          id.value, to_string(stop.id)));
  }
}

master::Master const* TakeoverRule::find_master(NodeId id) const {
  auto const node = std::ranges::find_if(cluster_->masters(), [&](auto const& each) { return each->machine().id() == id; });
  return (*node)->master();
}

}  // namespace davit::sim
