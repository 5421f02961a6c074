// What the agent and the masters ask of a registry of services (Consul) and what it answers: plain values, no registry's own JSON.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"

namespace davit::model {

// Whose entries are meant. It stands in their meta, and what does not carry it is somebody else's and never touched.
struct RegistryMark {
  ClusterId cluster;
  NodeId node;
  std::string kind;  // "instance", "master": who keeps them, of those that may run on one node
  friend bool operator==(RegistryMark const&, RegistryMark const&) = default;
};

namespace registry_meta {
inline constexpr std::string_view kCluster = "cluster";
inline constexpr std::string_view kNodeId = "node_id";
inline constexpr std::string_view kKind = "kind";
inline constexpr std::string_view kHolder = "instance";  // of which the entry is: an instance's id, "master"
}  // namespace registry_meta

// Made by the registry itself at the entry's address, beside the check that its keeper feeds.
struct RegistryCheck {
  std::optional<std::string> path;  // of a GET request; none: a connection is enough
  Duration interval{};
  Duration timeout{};
  std::int64_t retries = 1;  // failures in a row that count
  friend bool operator==(RegistryCheck const&, RegistryCheck const&) = default;
};

struct RegistryEntry {
  std::string id;
  std::string service;
  std::string address;
  std::uint16_t port = 0;
  std::vector<std::string> tags;
  std::map<std::string, std::string> meta;
  std::optional<RegistryCheck> check;  // a list does not show it
  friend bool operator==(RegistryEntry const&, RegistryEntry const&) = default;
};

// ---- of the registry's agent on this machine, which spreads it
// Answered by RegistryEntries. A registry may return more than is meant.
struct ListEntries {
  RegistryMark mark;
  friend bool operator==(ListEntries const&, ListEntries const&) = default;
};
// In place of what has its id; passing for the next ten seconds.
struct RegisterEntry {
  RegistryEntry entry;
  friend bool operator==(RegisterEntry const&, RegisterEntry const&) = default;
};
struct DeregisterEntry {
  std::string id;
  friend bool operator==(DeregisterEntry const&, DeregisterEntry const&) = default;
};
// Passing for ten more seconds. Code::NotFound: there is no such entry.
struct FeedEntry {
  std::string id;
  friend bool operator==(FeedEntry const&, FeedEntry const&) = default;
};

// ---- of the whole registry
// The passing entries of a service; answered by RegistryEntries, of which only address, port and meta count.
struct FindService {
  std::string name;
  friend bool operator==(FindService const&, FindService const&) = default;
};
// Of all that Davit keeps for a node; answered by SpreadEntries.
struct FindSpread {
  ClusterId cluster;
  NodeId node;
  friend bool operator==(FindSpread const&, FindSpread const&) = default;
};
// An entry of an agent that is gone: one that lives would bring it back.
struct EraseSpread {
  std::string host;
  std::string id;
  friend bool operator==(EraseSpread const&, EraseSpread const&) = default;
};

using RegistryCall = std::variant<ListEntries, RegisterEntry, DeregisterEntry, FeedEntry, FindService, FindSpread, EraseSpread>;

struct RegistryDone {
  friend bool operator==(RegistryDone const&, RegistryDone const&) = default;
};
struct RegistryEntries {
  std::vector<RegistryEntry> all;
  friend bool operator==(RegistryEntries const&, RegistryEntries const&) = default;
};
struct SpreadEntry {
  std::string host;  // the registry's name for the machine of its agent
  std::string id;
  bool is_agent_alive = false;  // by the registry's own word
  friend bool operator==(SpreadEntry const&, SpreadEntry const&) = default;
};
struct SpreadEntries {
  std::vector<SpreadEntry> all;
  friend bool operator==(SpreadEntries const&, SpreadEntries const&) = default;
};
using RegistryReply = std::variant<RegistryDone, RegistryEntries, SpreadEntries>;

}  // namespace davit::model
