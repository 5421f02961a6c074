#include "core/master/endpoints.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <tuple>

#include "base/loopback.hpp"

namespace davit::master {
namespace {

bool is_gone(Master const& master, Node const& node) {
  return node.is_down() || (node.record.status == model::NodeStatus::Unreachable && !master.is_most_unreachable());
}

}  // namespace

std::vector<model::Endpoint> endpoints_of(Master const& master, Service const& service) {
  std::vector<Instance const*> listed;
  for (auto const& instance : service.instances) {
    auto const* node = master.node(instance.node);
    if (instance.is_ready() && node && !is_gone(master, *node)) listed.push_back(&instance);
  }
  std::ranges::sort(listed, {}, [](auto const* instance) { return std::tuple(instance->slot, instance->id); });
  std::vector<model::Endpoint> endpoints;
  for (auto const* instance : listed) {
    auto const& node = *master.node(instance->node);
    for (auto const& port : instance->detail->ports) {
      bool const is_private = is_loopback(port.address) && port.address != node.facts.address;
      if (port.published == 0 || is_private) continue;
      endpoints.push_back({.instance = instance->id,
                           .slot = instance->slot,
                           .node = node.record.name,
                           .address = port.address,
                           .port = port.published,
                           .target = port.target,
                           .name = port.name,
                           .protocol = port.protocol});
    }
  }
  return endpoints;
}

std::vector<model::IngressPort> ingress_of(Master const& master, Service const& service) {
  std::vector<model::IngressPort> all;
  bool const has_any =
      std::ranges::any_of(service.head.spec()->ports, [](auto const& port) { return port.mode == model::PortMode::Ingress; });
  if (!has_any || service.head.removing) return all;
  auto const add = [&all](model::PortSpec const& wanted, model::PortSpec const& port) {
    model::IngressPort const each{.published = static_cast<std::uint16_t>(*wanted.published),
                                  .target = static_cast<std::uint16_t>(port.target),
                                  .protocol = wanted.protocol,
                                  .proxy_protocol = port.proxy_protocol};
    bool const is_there = std::ranges::any_of(all, [&each](model::IngressPort const& other) {
      return other.published == each.published && other.protocol == each.protocol && other.target == each.target;
    });
    if (!is_there) all.push_back(each);
  };
  std::set<std::uint32_t> revisions;
  for (auto const& instance : service.instances) revisions.insert(instance.revision);
  for (auto const& wanted : service.head.spec()->ports) {
    if (wanted.mode != model::PortMode::Ingress || master.older_claimant(service, wanted)) continue;
    add(wanted, wanted);
    for (auto const revision : revisions) {
      auto const kept = service.head.revisions.find(revision);
      if (kept == service.head.revisions.end()) continue;
      for (auto const& port : kept->second.spec->ports) {
        bool const is_same = port.mode == wanted.mode && port.published == wanted.published && port.protocol == wanted.protocol;
        if (is_same) add(wanted, port);
      }
    }
  }
  return all;
}

}  // namespace davit::master
