// What a master knows: services with their instances, and nodes. Plain data, owned by the Master; readers (the API) see it
// const, on the same control thread.
#pragma once

#include <bitset>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "core/placement/explain.hpp"
#include "core/service/command.hpp"
#include "core/service/instances.hpp"
#include "core/service/plan.hpp"
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

// How this master speaks with a node's agent. One way at a time, so that what it hears of it stays in order.
struct Path {
  enum class Kind : std::uint8_t { None, Direct, Relayed };
  Kind kind = Kind::None;
  NodeId peer;  // Relayed: through this master
  friend bool operator==(Path const&, Path const&) = default;
};

// Where an instance is to be found in the table.
struct Located {
  ServiceUid service;
  InstanceId id;
  std::uint32_t slot = 0;
};

struct Node {
  model::NodeRecord record;
  bool is_recorded = false;  // the store has it
  model::NodeFacts facts;
  model::NodeLoad load;
  model::ResourceAmount reserved;
  std::int64_t instances = 0;
  std::vector<Located> located;  // all of them, and some that are here no more
  bool is_connected = false;    // to this master, as far as the link has noticed
  std::set<NodeId> peers;       // other masters that are connected to it
  std::set<NodeId> subscribers;  // other masters that follow it through this one
  Path path;
  std::uint64_t first_round = 0;  // of the path: answers to earlier rounds came another way
  std::uint64_t last_round = 0;
  Monotonic fence_at = kNever;    // when to fence it, or to say it again
  Monotonic confirm_at = Monotonic::min();  // not before then are its instances confirmed, since something was dropped
  Duration confirm_wait{};        // until then, from the drop
  bool has_reported = false;      // on this path: it has told of all its instances
  Monotonic unheard_since = kNever;  // until it has done so: since when nothing of them was heard
  bool was_heard = false;         // in this session of the master
  bool is_told_of_name = false;   // that another one has its name: it is not recorded until that one is down
  bool is_fenced = false;         // it has answered for every shard of this master
  std::bitset<kShards> answered;  // the shards whose present epoch it has answered
  Monotonic downed_at = kNever;   // when this master saw that it is down: it may be so for longer
  bool was_forgotten = false;     // its record was removed in the sight of this master, and it is not recorded anew yet
  std::optional<std::uint64_t> known_life;  // the latest incarnation that its agent or its record was heard of; empty: none of both was
  Duration clock_difference{};    // from this master's clock, as last told; zero: they agree
  std::string clock_warning;      // for people; empty: they agree

  // Its own, and those that users have set: of one key, theirs.
  std::map<std::string, std::string> labels() const;
  bool is_worker() const;
  bool is_down() const { return is_recorded && record.status == model::NodeStatus::Down; }
};

// A shard as this master sees it.
struct Shard {
  Epoch epoch;              // of the present holding, whoever has it
  bool is_mine = false;     // this session holds it, and has seen its own grant
  Monotonic fenced_at = kNever;  // when its fences were first sent
};

struct QueuedCommand {
  CommandId id = 0;
  model::Command command;
};

struct QueuedNodeCommand {
  CommandId id = 0;
  model::NodeCommand command;
};

// A slot whose instance is to stand elsewhere, because a user wants the nodes balanced.
struct Moving {
  InstanceId id;  // that is to go
  NodeIx to = kNoNode;
  Monotonic until{};  // then it stays after all
};

// What all measured instances of a service use, as their agents told last.
struct Usage {
  std::uint64_t millicores = 0;
  std::uint64_t memory_kib = 0;
  std::uint32_t instances = 0;  // that were measured
};

// What placing the service's instances needs to know beyond its head (placing.cpp).
struct Placing {
  placement::Tally tally;
  model::Amount mean = placement::kMeanUse;  // what an instance without reservations counts as
  Monotonic mean_at{};                        // it stays so until then
  placement::Request request;
  model::SpecRef from;                        // what the request was taken from
  std::map<std::uint32_t, NodeIx> homes;      // of slots that keep their node: where each ran last
  std::map<InstanceId, std::vector<placement::Refusal>> refusals;
  std::map<std::uint32_t, Moving> moves;      // by slot
  std::map<std::uint32_t, std::vector<placement::Refusal>> avoided;  // by slot: nodes on which it has failed too often …
  std::uint32_t avoided_by = 0;                                      // … at this revision
  Monotonic looked_elsewhere_at = Monotonic::min();  // for room for those that fail where they are, or that have to stop before they move
  // Of the rollout under way, by its owner: how each slot's last instance left its node …
  std::map<std::uint32_t, service::Departure> departures;
  bool has_seen_all = false;  // … since it began: the slots that are not named had none
  bool has_left_room = false;  // an instance of it has left a node since those that wait were tried last
  bool are_all_due = false;  // those that wait are to be tried at the next plan
  placement::Shortfall shortfall;  // as of the last search in vain …
  std::optional<std::uint64_t> shortfall_version;  // … and of the index then
};

// That by which an instance was counted: its service's present one, but while a rollout goes on.
inline placement::Request request_by(Placing const& placing, model::SpecRef const& spec) {
  return placing.from == spec ? placing.request : placement::request_of(*spec, placing.mean);
}

// What this owner is about to do with a slot that must not be doubled. All else follows from the slot's record in the view.
struct SlotWork {
  bool is_writing = false;  // until the view shows what became of it
  InstanceId instance;  // that it is claimed for
  bool is_withdrawn = false;  // its agent has refused the offer
  Monotonic ask_at{};  // then: when to ask it to give the slot back (again)
  std::uint64_t gone = 0;  // up to this token its agent has given the slot back
  Monotonic lost_at = kNever;  // when this owner saw that its node is not known any more
};

struct Service {
  model::Head head;
  std::int64_t head_at = 0;  // the store's revision that wrote the head
  ShardId shard;
  service::Instances instances;
  Placing placing;
  Usage usage;
  service::ServiceStatus status;
  std::uint64_t version = 0;  // grows with every visible change, over all services: what caches compare
  Monotonic plan_at = kNever;
  Monotonic planned_at{};
  bool is_appending = false;  // an event is on its way to the store; the next waits
  std::deque<QueuedCommand> queued;
  std::optional<model::ImageResolved> seen_digest;  // by an agent, to be journalled
  std::map<std::uint32_t, SlotWork> slot_work;

  bool exists() const { return head.events > 0; }  // false while its creation is on its way to the store
  Instance* find(std::uint32_t slot, InstanceId id) { return instances.find(slot, id); }
  Instance const* find(std::uint32_t slot, InstanceId id) const { return instances.find(slot, id); }
};

// A slot in search of a node.
struct Unplaced {
  std::uint32_t slot = 0;
  std::optional<Wall> since;  // as far as its owner tells: nobody else knows
  std::vector<placement::Verdict> nodes;
  std::vector<std::string> would_fit;
};

// An instance that would stand better on another node.
struct PlannedMove {
  std::string service;
  std::uint32_t slot = 0;
  InstanceId id;
  NodeIx from = kNoNode;
  NodeIx to = kNoNode;
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
