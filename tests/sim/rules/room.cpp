#include "sim/rules/room.hpp"

#include <algorithm>
#include <vector>

#include "core/placement/filter.hpp"

namespace davit::sim {
namespace {

using model::NodeIx;
using placement::HostPort;

struct Space {
  placement::Traits traits;
  placement::Room room;
  std::uint32_t of_service = 0;
  std::vector<HostPort> ports;  // in use
};

Space space_of(master::Node const& node) {
  auto const& engine = node.facts.engine;
  Space space{.traits = {.id = node.record.id,
                         .name = node.is_recorded ? node.record.name : node.facts.name,
                         .roles = node.is_recorded ? node.record.roles : node.facts.roles,
                         .labels = node.labels(),
                         .platform = engine.platform},
              .room = {},
              .ports = {}};
  space.room.condition = {.is_member = node.is_recorded || node.is_connected,
                          .status = node.record.status,
                          .availability = node.record.availability,
                          .engine_up = node.facts.engine_up,
                          .has_answered = node.is_fenced,
                          .capacity = model::amount_of(engine.cpus, engine.memory)};
  space.room.is_worker = node.is_worker();
  return space;
}

std::vector<Space> spaces(master::Master const& view, master::Service const& service, Stands const& stands) {
  std::vector<Space> all;
  for (auto const& node : view.nodes()) all.push_back(space_of(node));
  for (auto const& [name, other] : view.services()) {
    bool const is_own = other.head.uid == service.head.uid;
    for (auto const& instance : other.instances) {
      if (!instance.detail->accounted || !stands(other, instance)) continue;
      auto& space = all[placement::to_index(instance.node)];
      auto const request = placement::request_of(*instance.detail->accounted, {});
      space.room.reserved += request.kind.reserved;
      space.ports.insert(space.ports.end(), request.ports.begin(), request.ports.end());
      space.of_service += is_own ? 1 : 0;
    }
  }
  return all;
}

std::optional<HostPort> taken_port(Space const& space, placement::Request const& request) {
  for (auto const& wanted : request.ports) {
    bool const is_taken = std::ranges::any_of(space.ports, [&](HostPort const& port) {
      return port.protocol == wanted.protocol && port.number == wanted.number && model::share_address(port.address, wanted.address);
    });
    if (is_taken) return wanted;
  }
  return std::nullopt;
}

std::size_t room_in(Space space, placement::Request const& request, std::size_t most) {
  for (std::size_t count = 0; count < most; ++count) {
    auto const taken = taken_port(space, request);
    if (first_rejection(request, {.traits = space.traits, .room = space.room, .of_service = space.of_service, .taken_port = taken}))
      return count;
    space.room.reserved += request.kind.reserved;
    space.ports.insert(space.ports.end(), request.ports.begin(), request.ports.end());
    ++space.of_service;
  }
  return most;
}

}  // namespace

std::size_t room_for_more(master::Master const& view, master::Service const& service, std::uint32_t slot, Stands const& stands,
                          std::size_t most) {
  auto const request = placement::request_of(*service.head.spec(), {});
  auto const home = service.placing.homes.find(slot);
  auto const all = spaces(view, service, stands);
  if (request.keeps_node && home != service.placing.homes.end()) {
    auto const& space = all[placement::to_index(home->second)];
    if (space.room.condition.is_member) return room_in(space, request, most);  // else the volume has gone with the node
  }
  std::size_t count = 0;
  for (auto const& space : all) count += room_in(space, request, most - count);
  return count;
}

}  // namespace davit::sim
