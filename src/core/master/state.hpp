// What a master knows: services with their instances, and nodes. Plain data, owned by the Master; readers (the API) see it
// const, on the same control thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "core/service/command.hpp"
#include "core/service/instance.hpp"
#include "core/service/status.hpp"
#include "model/journal.hpp"
#include "model/node.hpp"
#include "model/records.hpp"

namespace davit::master {

using OpId = std::uint64_t;       // one call to the store
using CommandId = std::uint64_t;  // one request of a user, as the driver numbers it

using service::Instance;
using service::kNoNode;
using service::NodeIx;

struct Node {
  model::NodeRecord record;
  model::NodeFacts facts;
  model::NodeLoad load;
  model::ResourceAmount reserved;
  std::int64_t instances = 0;
  bool is_connected = false;
  bool is_recorded = false;        // the store has the record as it is here, or will have it
  bool is_being_recorded = false;  // on its way to the store
  bool is_fenced = false;  // it has answered this session's fences: what it lists is all there is
};

struct QueuedCommand {
  CommandId id = 0;
  service::Command command;
};

struct Service {
  model::Head head;
  std::vector<Instance> instances;  // service::InOrder
  std::vector<std::int64_t> per_node;       // instances, by NodeIx
  service::ServiceStatus status;
  std::uint64_t version = 0;        // grows with every visible change, over all services: what caches compare
  Monotonic plan_at = kNever;
  bool is_appending = false;        // an event is on its way to the store; the next waits
  std::deque<QueuedCommand> queued;
  std::optional<model::ImageResolved> seen_digest;  // by an agent, to be journalled

  bool exists() const { return head.events > 0; }  // false while its creation is on its way to the store
  Instance* find(std::uint32_t slot, InstanceId id);
  Instance const* find(std::uint32_t slot, InstanceId id) const;
};

// A change that users may follow: one log line, one event of the API, one count in the metrics.
struct Transition {
  std::string type;  // "instance.running", "service.updated", "node.up"
  Wall time{};
  std::string service;
  std::uint32_t slot = 0;  // 0: not about an instance
  InstanceId instance;
  std::uint32_t revision = 0;
  std::string node;
  std::string previous;
  model::Reason reason = model::Reason::None;
  std::string message;
};

}  // namespace davit::master
