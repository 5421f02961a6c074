// What users may ask of the cluster, as masters pass it on to the one that decides: of a service its owner, of a node the
// coordinator. Absolute targets only, so that a repetition does no harm.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

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
// Instances are to go to other nodes. Not journalled: one that cannot move within ten minutes, or whose owner dies, stays.
struct Move {
  struct Target {
    std::uint32_t slot = 0;
    InstanceId id;  // the one that is to go
    NodeId to;
  };
  std::vector<Target> targets;
};
using CommandBody = std::variant<Create, Replace, Restart, Rollback, Remove, Pause, Resume, Move>;

struct Command {
  std::string service;
  std::string author;
  std::string request_id;         // the user's Idempotency-Key, or one made at the entry
  std::uint64_t fingerprint = 0;  // of what is asked: the same id with another request is refused
  std::optional<std::uint64_t> if_generation;
  std::optional<ServiceUid> if_uid{};  // the service that the generation is of; another one of that name may have come to it, too
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
  std::uint32_t revision = 0;  // that the change made or kept; of a replayed one it is not known: 0
  std::int64_t store_revision = 0;
  bool created = false;
  bool replayed = false;   // it had been carried out before
  bool unchanged = false;  // it asked for what was so already
};

}  // namespace davit::model
