// The table of instances that plans read and agents' words fill.
#include <algorithm>
#include <tuple>

#include <fmt/core.h>

#include "core/master/master.hpp"

namespace davit::master {

using model::InstanceState;
using model::Reason;

namespace {

auto in_order(std::uint32_t slot, InstanceId id) {
  return [slot, id](Instance const& instance) { return instance.slot != slot ? instance.slot < slot : instance.id < id; };
}

}  // namespace

Instance* Service::find(std::uint32_t slot, InstanceId id) {
  auto const found = std::ranges::partition_point(instances, in_order(slot, id));
  return found != instances.end() && found->id == id ? &*found : nullptr;
}
Instance const* Service::find(std::uint32_t slot, InstanceId id) const { return const_cast<Service*>(this)->find(slot, id); }

Service const* Master::find_service(std::string_view name) const {
  auto const found = services_.find(std::string(name));
  return found == services_.end() || !found->second.exists() ? nullptr : &found->second;
}

Instance& Master::insert(Service& service, Instance instance) {
  auto const at = std::ranges::partition_point(service.instances, in_order(instance.slot, instance.id));
  return *service.instances.insert(at, std::move(instance));
}

void Master::erase(Service& service, Instance const& instance) {
  if (instance.node != kNoNode) service.placing.has_left_room = true;
  set_node(service, const_cast<Instance&>(instance), kNoNode);
  service.placing.refusals.erase(instance.id);
  service.instances.erase(service.instances.begin() + (&instance - service.instances.data()));
  touch(service);
  plan_soon(service);
}

// Those that are there; what the list has besides is dropped from it.
std::vector<Located> const& Master::instances_on(Node& node) {
  auto const ix = node_ix_.at(node.record.id);
  auto const by_id = [](Located const& each) { return std::tuple(each.service, each.slot, each.id); };
  std::ranges::sort(node.located, {}, by_id);
  auto const same = std::ranges::unique(node.located, {}, by_id);
  node.located.erase(same.begin(), same.end());
  std::erase_if(node.located, [&](Located const& each) {
    auto const* service = find_by_uid(each.service);
    auto const* instance = service ? service->find(each.slot, each.id) : nullptr;
    return !instance || instance->node != ix;
  });
  return node.located;
}

void Master::set_node(Service& service, Instance& instance, NodeIx node) {
  account(service, instance, -1);
  instance.node = node;
  account(service, instance, +1);
}

void Master::set_state(Service& service, Instance& instance, InstanceState state, Reason reason, std::string message) {
  auto const before = instance.state;
  bool const is_news = before != state || instance.reason != reason || instance.detail->message != message;
  instance.state = state;
  instance.reason = reason;
  instance.detail->message = std::move(message);
  if (before != state) instance.detail->state_since = now_.wall;
  if (is_news) changed(service, instance, before);
  touch(service);
}

void Master::touch(Service& service) {
  service.version = ++version_;
  touched_.insert(service.head.name);
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
           .message = instance.detail->message});
}

}  // namespace davit::master
