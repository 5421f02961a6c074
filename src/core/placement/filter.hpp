// What keeps an instance off a node. The order is the one in which filters are asked; users see the first that rejects.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "core/placement/node.hpp"
#include "model/instance.hpp"

namespace davit::placement {

enum class Filter : std::uint8_t {
  Status,
  Engine,
  Availability,
  Role,
  Constraint,
  Platform,    // a constraint on node.platform
  Volume,      // the slot belongs to another node, which has its volume
  Cpu,
  Memory,
  HostPort,
  MaxPerNode,
  Refused,     // its agent has said no to this instance a moment ago
};

struct Refusal {
  NodeIx node = kNoNode;
  Monotonic until{};  // then it may be asked again
  model::Reason reason = model::Reason::None;
  std::string message;
};

// One node under the eyes of one instance.
struct Sight {
  Traits const& traits;
  Room const& room;
  std::uint32_t of_service = 0;       // instances of the service on the node
  bool has_volume_elsewhere = false;
  std::optional<HostPort> taken_port{};  // one of the wanted ones
  Refusal const* refusal = nullptr;   // the agent's, of this instance
};

bool matches(Traits const& traits, model::Constraint const& constraint);
bool matches_all(Traits const& traits, std::vector<model::Constraint> const& constraints);
bool takes_part(Room const& room);  // Status to Role
bool has_resources(Room const& room, Amount const& wanted);

bool rejects(Filter filter, Request const& request, Sight const& sight);
std::optional<Filter> first_rejection(Request const& request, Sight const& sight);
// Of a filter that rejects: "wants 4 GiB, 1.2 GiB unreserved".
std::string detail(Filter filter, Request const& request, Sight const& sight);
model::Reason reason_of(Filter filter, Sight const& sight);

}  // namespace davit::placement

namespace davit::model {
DAVIT_ENUM_NAMES(placement::Filter, {placement::Filter::Status, "status"}, {placement::Filter::Engine, "engine"},
                 {placement::Filter::Availability, "availability"}, {placement::Filter::Role, "role"},
                 {placement::Filter::Constraint, "constraint"}, {placement::Filter::Platform, "platform"},
                 {placement::Filter::Volume, "volume"}, {placement::Filter::Cpu, "cpu"}, {placement::Filter::Memory, "memory"},
                 {placement::Filter::HostPort, "host_port"}, {placement::Filter::MaxPerNode, "max_per_node"},
                 {placement::Filter::Refused, "refused"});
}  // namespace davit::model
