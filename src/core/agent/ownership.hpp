// Which containers are ours, and what their labels say (protocol.md §8). A container is ours only when its labels carry this
// cluster, this node and the container's own name, because `docker commit` copies labels.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/ids.hpp"
#include "model/engine.hpp"
#include "model/link.hpp"
#include "model/spec.hpp"

namespace davit::agent {

struct Owner {
  ClusterId cluster;
  NodeId node;
  friend auto operator<=>(Owner const&, Owner const&) = default;
};

// What the labels of one of our containers say.
struct Identity {
  InstanceId instance;
  ServiceUid uid;
  std::string service;
  std::uint32_t slot = 0;
  std::uint32_t revision = 0;
  Fence fence;
  std::uint32_t attempt = 1;
  std::uint64_t token = 0;  // of its slot, where that must not be doubled
  friend bool operator==(Identity const&, Identity const&) = default;
};

std::string container_name(Identity const& identity);  // "web.2.<id>", from the second attempt on "web.2.<id>.<attempt>"
std::map<std::string, std::string> labels_of(Owner const& owner, Identity const& identity);
std::map<std::string, std::string> list_filter(Owner const& owner);

// Of all the containers of an engine: whose they say to be.
std::set<Owner> owners_of(model::ContainerList const& containers);

// How a container is probed, for the next agent, which has to know before any master tells it: else it would take it for ready meanwhile.
// None: empty, so that no label of the image stands.
std::string probe_label_of(model::Healthcheck const* check, bool is_of_host);
struct LabelledProbe {
  model::Healthcheck check;
  bool is_of_host = false;  // it is in the host's network
};
std::optional<LabelledProbe> probe_of(std::map<std::string, std::string> const& labels);
inline constexpr std::string_view kHostNetwork = "host";
inline constexpr char const* kProbeLabel = "davit.probe";

std::optional<Identity> identify(Owner const& owner, std::string const& name, std::map<std::string, std::string> const& labels);

}  // namespace davit::agent
