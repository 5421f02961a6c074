#include "sim/rules/order_rule.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "core/service/draft.hpp"
#include "sim/rules/room.hpp"

namespace davit::sim {

using model::Reason;

namespace {

// As it was reported: what is to stop does not count as ready any more.
bool is_well(service::Instance const& instance) {
  return instance.state == model::InstanceState::Running && instance.health != model::Health::Unhealthy &&
         instance.health != model::Health::Starting;
}

template <class Predicate>
std::size_t slots_without(master::Service const& service, Predicate const& predicate) {
  std::size_t count = 0;
  for (std::uint32_t slot = 1; slot <= static_cast<std::uint32_t>(service.head.spec()->instances); ++slot) {
    if (std::ranges::none_of(service.instances, [&](auto const& each) { return each.slot == slot && predicate(each); })) ++count;
  }
  return count;
}

}  // namespace

void OrderRule::on_sent_to_agent(NodeId master, NodeId agent, model::ToAgent const& message) { check(master, agent, message); }

void OrderRule::on_sent_to_peer(NodeId master, NodeId, model::PeerMessage const& message) {
  auto const* relayed = std::get_if<model::RelayToAgent>(&message);
  if (relayed) check(master, relayed->node, relayed->message);
}

void OrderRule::on_transition(NodeId master, master::Transition const& change) {
  if (change.slot == 0) return;
  std::tuple const instance{master, change.service, change.slot, change.instance};
  if (change.type == "instance.pending") waiting_.insert(instance);
  else waiting_.erase(instance);
  std::pair const seen{master, change.instance};
  if (change.type == "instance.running" && change.reason != Reason::None) unwell_[seen] = true;
  else if (auto const known = unwell_.find(seen); known != unwell_.end()) known->second = false;
}

void OrderRule::on_sent_by_agent(NodeId, NodeId, model::ToMaster const& message) {
  auto const take = [&](model::InstanceReport const& report) {
    if (report.ready) ready_.insert(report.id);
    else ready_.erase(report.id);
  };
  if (auto const* changed = std::get_if<model::InstanceChanged>(&message)) take(changed->report);
  if (auto const* stored = std::get_if<model::FencesStored>(&message)) std::ranges::for_each(stored->all, take);
}

void OrderRule::look() {
  std::erase_if(waiting_, [this](auto const& each) {
    auto const& name = std::get<1>(each);
    auto const id = std::get<0>(each);
    auto const node = std::ranges::find_if(cluster_->masters(), [&](auto const& master) { return master->machine().id() == id; });
    auto const* view = (*node)->master();
    auto const* service = view ? view->find_service(name) : nullptr;
    return !service || !service->find(std::get<2>(each), std::get<3>(each));
  });
  std::erase_if(unwell_, [](auto const& each) { return !each.second; });
  decided_.clear();
  placed_.clear();
  for (auto const& node : cluster_->masters()) {
    auto const* view = node->master();
    if (!view) continue;
    for (auto const& [name, service] : view->services()) {
      for (auto const& instance : service.instances) {
        if (instance.node != service::kNoNode) placed_.emplace(node->machine().id(), instance.id);
        if (instance.stop_sent) decided_.emplace(node->machine().id(), instance.id);
      }
    }
  }
}

void OrderRule::check(NodeId id, NodeId agent, model::ToAgent const& message) {
  auto const* stop = std::get_if<model::StopInstance>(&message);
  if (!stop || !ready_.contains(stop->id) || !cluster_->agent(agent).runs_well(stop->id)) return;
  auto const* grant = journals_.find_grant(stop->fence);
  if (grant && grant->owner != id) return;  // passed on for the one who has it
  if (answers_.refuses(agent, stop->fence)) return;  // its master cannot know yet what another one does there
  if (!sent_.emplace(id, stop->id).second || decided_.contains({id, stop->id})) return;  // it is said again, or at last
  if (unwell_.contains({id, stop->id})) return;  // as its master saw it, at least when this was decided
  findings_.checked();
  auto const node = std::ranges::find_if(cluster_->masters(), [&](auto const& each) { return each->machine().id() == id; });
  auto const* view = (*node)->master();
  if (!view) return;
  auto const complain = [&](std::string const& why) {
    findings_.add("needless_stop",
                  fmt::format("master {} stops {} as {}, but {}", id.value, to_string(stop->id), model::to_string(stop->reason), why));
  };
  auto const known = std::ranges::find_if(view->services(), [&](auto const& each) { return each.second.head.uid == stop->uid; });
  if (known != view->services().end()) return judge({id, (*node)->machine().now().monotonic, *view, known->second, *stop}, complain);
  if (stop->reason != Reason::ServiceRemoved) complain("knows no such service");
}

bool OrderRule::goes_on(Order const& order, service::Instance const& instance) const {
  auto const* at = order.view.node(instance.node);
  return service::serves(instance) && at && answers_.has_answered(at->record.id, order.stop.fence);
}

void OrderRule::judge(Order const& order, Complain const& complain) {
  auto const& [master, now, view, service, stop] = order;
  auto const& head = service.head;
  if (head.removing) return;
  if (stop.reason == Reason::ServiceRemoved) return complain("the service is not being removed");
  if (stop.slot > static_cast<std::uint32_t>(head.spec()->instances)) return check_surplus(order, complain);
  if (stop.reason == Reason::ScaledDown) return complain("its slot is wanted");
  auto const* instance = service.find(stop.slot, stop.id);
  if (stop.reason != Reason::Replaced || !instance || !is_well(*instance)) return;
  auto const is_rival = [&](auto const& each) { return each.slot == stop.slot && each.id != stop.id && goes_on(order, each); };
  bool const is_outdated = instance->revision != head.revision;
  // Left over from a cut, or from a rollout that another one overtook: one of several alike is enough.
  auto const is_alike = [&](auto const& each) { return is_rival(each) && (each.revision != head.revision) == is_outdated; };
  if (std::ranges::any_of(service.instances, is_alike)) return;
  if (is_outdated && head.rollout.is_under_way()) {
    check_floor(order, complain);
    return check_room(order, complain);
  }
  bool const has_rival = std::ranges::any_of(service.instances, is_rival);
  if (is_outdated || has_rival || head.rollout.state == model::RolloutState::Stopped) return;
  auto const* at = view.node(instance->node);
  auto const move = service.placing.moves.find(stop.slot);
  bool const is_moving = move != service.placing.moves.end() && move->second.id == stop.id;
  bool const is_to_leave = is_moving || (at && at->record.availability == model::Availability::Drain);
  auto const terms = service::terms_of(head);
  if (!is_to_leave || terms.moving != service::Moving::StopFirst) return complain("nothing else serves its slot");
  auto const idle = slots_without(service, [](auto const& each) { return !each.stop_sent && service::may_serve(each); });
  if (idle > terms.parallelism) complain(fmt::format("{} slots are empty then, and {} may move at a time", idle, terms.parallelism));
}

// What serves beyond the slots that are wanted stays for those of which nobody knows whether they are served (protocol.md §5.3).
void OrderRule::check_surplus(Order const& order, Complain const& complain) const {
  auto const& service = order.service;
  auto const slots = static_cast<std::uint32_t>(service.head.spec()->instances);
  auto const is_in_doubt = [&](std::uint32_t slot) {
    bool is_any_unknown = false;
    for (auto const& each : service.instances) {
      if (each.slot != slot || each.stop_sent || each.node == service::kNoNode) continue;
      if (goes_on(order, each)) return false;
      auto const* at = order.view.node(each.node);
      is_any_unknown |= each.is_unknown && at && !answers_.has_answered(at->record.id, order.stop.fence);
    }
    return is_any_unknown;
  };
  std::ptrdiff_t in_doubt = 0;
  for (std::uint32_t slot = 1; slot <= slots; ++slot) in_doubt += is_in_doubt(slot) ? 1 : 0;
  auto const* instance = service.find(order.stop.slot, order.stop.id);
  auto const kept = std::ranges::count_if(service.instances, [&](auto const& each) { return each.slot > slots && goes_on(order, each); });
  if (instance && is_well(*instance) && kept < in_doubt) complain(fmt::format("nobody knows whether {} slots are served", in_doubt));
}

// The stops of one plan are all in the view before the first of them is sent.
void OrderRule::check_floor(Order const& order, Complain const& complain) const {
  auto const& service = order.service;
  auto const terms = service::terms_of(service.head);
  auto const is_in_slot = [&](auto const& each) { return each.slot <= static_cast<std::uint32_t>(service.head.spec()->instances); };
  auto const serving = static_cast<std::size_t>(
      std::ranges::count_if(service.instances, [&](auto const& each) { return is_in_slot(each) && goes_on(order, each); }));
  auto const slots = static_cast<std::size_t>(service.head.spec()->instances);
  std::size_t homeless = 0;
  for (std::uint32_t slot = 1; slot <= slots; ++slot) homeless += is_homeless(order, slot) ? 1 : 0;
  bool const gives_way =
      terms.may_give_way && std::ranges::any_of(service.instances, [](auto const& each) { return service::waits_for_room(each); });
  auto const spared = terms.is_start_first && !gives_way ? 0 : terms.parallelism;
  if (serving + spared + homeless < slots)
    complain(fmt::format("{} serve then of {}; {} may be spared, and {} have no node", serving, slots, spared, homeless));
}

void OrderRule::check_room(Order const& order, Complain const& complain) {
  auto const& head = order.service.head;
  bool const is_followed = std::ranges::any_of(order.service.instances, [&](auto const& each) {
    return each.slot == order.stop.slot && each.revision == head.revision && !each.stop_sent && each.node != service::kNoNode;
  });
  if (is_followed) return;
  auto& plan = plans_[{order.master, head.uid}];
  if (plan.at != order.at) plan = {order.at, {}};
  plan.slots.insert(order.stop.slot);
  bool const is_bound = model::has_node_volume(*head.spec());  // each slot to a node of its own
  auto const wanted = is_bound ? 1 : plan.slots.size();
  auto const stands = [&](master::Service const& of, service::Instance const& each) {
    return of.head.uid == head.uid ? !each.stop_sent : placed_.contains({order.master, each.id});
  };
  auto const room = room_for_more(order.view, order.service, order.stop.slot, stands, wanted);
  if (room < wanted) complain(fmt::format("it stops {} of {}, and only {} more find a node", wanted, head.name, room));
}

// All that it has waits for a node, or has ended; or did until this very plan, whose orders come before its transitions.
bool OrderRule::is_homeless(Order const& order, std::uint32_t slot) const {
  bool is_empty = true;
  bool is_new = true;
  bool is_waiting = true;
  for (auto const& each : order.service.instances) {
    bool const has_ended = each.state == model::InstanceState::Exited || each.state == model::InstanceState::Failed;
    if (each.slot != slot || each.stop_sent || has_ended) continue;
    is_empty = false;
    is_new = is_new && each.created == order.at;
    is_waiting = is_waiting && each.state == model::InstanceState::Pending && each.node == service::kNoNode;
  }
  if (is_empty) return false;
  return is_waiting || (is_new && has_waited(order, slot));
}

// An instance that is replaced before it has found a node goes without a word: it is forgotten at the next look.
bool OrderRule::has_waited(Order const& order, std::uint32_t slot) const {
  auto const& name = order.service.head.name;
  auto const found = waiting_.lower_bound({order.master, name, slot, InstanceId{}});
  return found != waiting_.end() && std::get<0>(*found) == order.master && std::get<1>(*found) == name && std::get<2>(*found) == slot;
}

}  // namespace davit::sim
