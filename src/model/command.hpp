// What users may ask of the cluster, as masters pass it on to the one that decides: of a service its owner, of a node the
// coordinator. Absolute targets only, so that a repetition does no harm.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/ids.hpp"
#include "model/node.hpp"
#include "model/spec.hpp"

namespace davit::model {

struct Create {
  SpecRef spec;
};
struct Replace {
  SpecRef spec;
  bool create_if_absent = false;
};
struct Restart {};
struct Rollback {
  std::optional<std::uint32_t> to_revision;  // absent: the one before
};
struct Remove {};
// Of the rollout that is under way.
struct Pause {};
struct Resume {};
using CommandBody = std::variant<Create, Replace, Restart, Rollback, Remove, Pause, Resume>;

struct Command {
  std::string service;
  std::string author;
  std::string request_id;         // the user's Idempotency-Key, or one made at the entry
  std::uint64_t fingerprint = 0;  // of what is asked: the same id with another request is refused
  std::optional<std::uint64_t> if_generation;
  CommandBody body;
};

// Absent values stay as they are.
struct NodeCommand {
  NodeId node;
  std::map<std::string, std::optional<std::string>> labels;  // those to set; absent: it is to go
  std::optional<Availability> availability;
  bool mark_down = false;  // by hand, whatever the downing policy holds back
  bool forget = false;     // a node that is down leaves the cluster
};

// Error::field of what a NodeCommand was refused for: with NotFound the node, with Invalid the state it is in.
inline constexpr std::string_view kNodeField = "node";

// How a command was carried out.
struct Applied {
  std::uint64_t generation = 0;
  std::uint32_t revision = 0;
  std::int64_t store_revision = 0;
  bool created = false;
  bool replayed = false;   // it had been carried out before
  bool unchanged = false;  // it asked for what was so already
};

}  // namespace davit::model
