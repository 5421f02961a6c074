// The table of instances that plans read and agents' words fill.
#include <algorithm>
#include <tuple>

#include <fmt/core.h>

#include "core/master/master.hpp"

namespace davit::master {

using model::InstanceState;
using model::Reason;

Service const* Master::find_service(std::string_view name) const {
  auto const found = services_.find(std::string(name));
  return found == services_.end() || !found->second.exists() ? nullptr : &found->second;
}

void Master::erase(Service& service, Instance const& instance) {
  if (instance.node != kNoNode) see_left(service, instance);
  see_use(service, const_cast<Instance&>(instance), std::nullopt);
  set_node(service, const_cast<Instance&>(instance), kNoNode);
  service.placing.refusals.erase(instance.id);
  service.instances.erase(instance);
  touch(service);
  plan_soon(service);
}

void Master::see_left(Service& service, Instance const& instance) {
  auto& placing = service.placing;
  placing.has_left_room = true;
  auto const& head = service.head;
  bool const is_last = std::ranges::none_of(service.instances.of_slot(instance.slot), [&](Instance const& other) {
    return other.id != instance.id && other.node != kNoNode && !other.stop_sent;
  });
  auto departure = service::Departure::None;
  if (is_last && head.rollout.is_under_way() && shards_[service.shard.value].is_mine) {
    bool const was_wanted = instance.stop_sent && instance.reason == Reason::Replaced;
    departure = placing.departures[instance.slot] = was_wanted ? service::Departure::Stopped : service::Departure::Lost;
  }
  for (auto& [id, refusals] : placing.refusals) {  // what it has left may be what they were refused for
    std::erase_if(refusals, [&](auto const& each) { return each.node == instance.node && placement::is_for_room(each.reason); });
  }
  for (auto const& other : service.instances.of_slot(instance.slot)) {
    if (other.state != InstanceState::Pending || other.node != kNoNode) continue;
    auto& next = *service.find(other.slot, other.id);
    next.retry_at = now_.monotonic;
    if (departure != service::Departure::None) next.detail->rare.change([&](service::Exceptional& rare) { rare.before = departure; });
  }
}

// Who has not seen all of the rollout takes a slot for one that has lost its node: it may be, or may have been emptied.
service::Departure Master::departure_from(Service const& service, std::uint32_t slot) const {
  auto const& placing = service.placing;
  auto const known = placing.departures.find(slot);
  if (known != placing.departures.end()) return known->second;
  bool const is_known = !service.head.rollout.is_under_way() || placing.has_seen_all;
  return is_known ? service::Departure::None : service::Departure::Lost;
}

// Those that are there, of the node's list.
std::vector<Located> Master::instances_on(Node const& node) const {
  auto const ix = index_of(node);
  auto const by_id = [](Located const& each) { return std::tuple(each.service, each.slot, each.id); };
  auto all = node.located;
  std::ranges::sort(all, {}, by_id);
  auto const same = std::ranges::unique(all, {}, by_id);
  all.erase(same.begin(), same.end());
  std::erase_if(all, [&](Located const& each) {
    auto const* service = find_by_uid(each.service);
    auto const* instance = service ? service->find(each.slot, each.id) : nullptr;
    return !instance || instance->node != ix;
  });
  return all;
}

void Master::set_node(Service& service, Instance& instance, NodeIx node) {
  account(service, instance, -1);
  instance.node = node;
  account(service, instance, +1);
}

void Master::set_state(Service& service, Instance& instance, InstanceState state, Reason reason, std::string message) {
  auto const before = instance.state;
  bool const is_news = before != state || instance.reason != reason || instance.detail->rare->message != message;
  instance.state = state;
  instance.reason = reason;
  if (instance.detail->rare->message != message) {
    instance.detail->rare.change([&](service::Exceptional& rare) { rare.message = std::move(message); });
  }
  if (before != state) instance.detail->state_since = now_.wall;
  if (is_news) changed(service, instance, before);
  touch(service);
}

void Master::touch(Service& service) {
  service.version = ++version_;
  touched_.insert(service.head.name);
}

void Master::touch_all(std::set<std::string> const& names) {
  for (auto const& name : names) {
    if (auto const found = services_.find(name); found != services_.end()) touch(found->second);
  }
}

void Master::note(bool is_warning, std::string text) { out_->push_back(Noted{is_warning, std::move(text)}); }

void Master::changed(Transition transition) {
  transition.time = now_.wall;
  out_->push_back(Changed{std::move(transition)});
}

void Master::changed(Service const& service, Instance const& instance, InstanceState before) {
  auto const* where = node(instance.node);
  changed({.type = fmt::format("instance.{}", model::to_string(instance.state)),
           .service = service.head.name,
           .slot = instance.slot,
           .instance = instance.id,
           .revision = instance.revision,
           .node = where ? where->facts.name : "",
           .previous = std::string(model::to_string(before)),
           .reason = instance.reason,
           .message = instance.detail->rare->message});
}

}  // namespace davit::master
