#include "sim/rules/order_rule.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace davit::sim {

using model::Reason;

void OrderRule::on_sent_to_agent(NodeId master, NodeId agent, model::ToAgent const& message) { check(master, agent, message); }

void OrderRule::on_sent_to_peer(NodeId master, NodeId, model::PeerMessage const& message) {
  auto const* relayed = std::get_if<model::RelayToAgent>(&message);
  if (relayed) check(master, relayed->node, relayed->message);
}

void OrderRule::on_sent_by_agent(NodeId, NodeId, model::ToMaster const& message) {
  auto const take = [&](model::InstanceReport const& report) {
    if (report.ready) ready_.insert(report.id);
    else ready_.erase(report.id);
  };
  if (auto const* changed = std::get_if<model::InstanceChanged>(&message)) take(changed->report);
  if (auto const* stored = std::get_if<model::FencesStored>(&message)) std::ranges::for_each(stored->all, take);
}

void OrderRule::check(NodeId id, NodeId agent, model::ToAgent const& message) {
  auto const* stop = std::get_if<model::StopInstance>(&message);
  if (!stop || !ready_.contains(stop->id) || !cluster_->agent(agent).runs_well(stop->id)) return;
  auto const* grant = journals_.find_grant(stop->fence);
  if (grant && grant->owner != id) return;  // passed on for the one who has it
  findings_.checked();
  auto const noted = noted_.find({id, stop->id});
  if (noted != noted_.end() && noted->second != "instance.running") return;  // it did not know better
  auto const node = std::ranges::find_if(cluster_->masters(), [&](auto const& each) { return each->machine().id() == id; });
  auto const* view = (*node)->master();
  if (!view) return;
  auto const known = std::ranges::find_if(view->services(), [&](auto const& each) { return each.second.head.uid == stop->uid; });
  auto const complain = [&](std::string_view why) {
    findings_.add("needless_stop",
                  fmt::format("master {} stops {} as {}, but {}", id.value, to_string(stop->id), model::to_string(stop->reason), why));
  };
  if (known == view->services().end()) {
    if (stop->reason != Reason::ServiceRemoved) complain("knows no such service");
    return;
  }
  auto const& service = known->second;
  auto const& head = service.head;
  if (head.removing) return;
  if (stop->reason == Reason::ServiceRemoved) return complain("the service is not being removed");
  if (stop->slot > static_cast<std::uint32_t>(head.spec()->instances)) return;
  if (stop->reason == Reason::ScaledDown) return complain("its slot is wanted");
  if (stop->reason != Reason::Replaced || head.rollout.state == model::RolloutState::Active) return;
  auto const* instance = service.find(stop->slot, stop->id);
  if (!instance || instance->revision != head.revision) return;
  bool const has_rival = std::ranges::any_of(
      service.instances, [&](auto const& each) { return each.slot == stop->slot && each.id != stop->id && each.is_ready(); });
  bool const is_of_stopped_rollout = head.rollout.state == model::RolloutState::Stopped;
  auto const kept = view->view().nodes.find(agent);
  if (kept != view->view().nodes.end() && kept->second.record.availability == model::Availability::Drain) return;  // it moves away
  if (!has_rival && !is_of_stopped_rollout) complain("nothing else serves its slot");
}

}  // namespace davit::sim
