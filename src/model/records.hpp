// Everything that the store holds (protocol.md §2), typed, and the keys it stands under. codec/records.hpp turns a Record
// into bytes and back.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/ids.hpp"
#include "model/journal.hpp"
#include "model/node.hpp"

namespace davit::model {

inline constexpr std::string_view kRoot = "davit/v1/";
inline constexpr std::string_view kShardsPrefix = "davit/v1/shards/";
inline constexpr std::string_view kMastersPrefix = "davit/v1/masters/";
inline constexpr std::string_view kNodesPrefix = "davit/v1/nodes/";
inline constexpr std::string_view kSeenPrefix = "davit/v1/seen/";
inline constexpr std::uint32_t kFormatVersion = 1;

struct ClusterRecord {
  ClusterId uid;
  std::uint32_t era = 1;
  std::uint32_t format = kFormatVersion;
  friend bool operator==(ClusterRecord const&, ClusterRecord const&) = default;
};
// The key's mod revision is the epoch.
struct ShardRecord {
  ShardId shard;
  std::string session;
  friend bool operator==(ShardRecord const&, ShardRecord const&) = default;
};
// One session of a master: the key is leased, and its create revision names the session for compares. `knows`: the newest
// format of the journal that it can read.
struct MasterRecord {
  NodeId id;
  std::string session;
  std::string name;
  std::string address;
  bool is_ready = false;
  bool is_leaving = false;  // it is about to stop, and its shards are to go to others
  std::uint32_t knows = kFormatVersion;
  friend bool operator==(MasterRecord const&, MasterRecord const&) = default;
};
// Leased: the session that assigns shards and judges nodes.
struct CoordinatorRecord {
  NodeId master;
  std::string session;
  friend bool operator==(CoordinatorRecord const&, CoordinatorRecord const&) = default;
};
// A node in one of its lives.
struct NodeLife {
  NodeId node;
  std::uint64_t incarnation = 0;
  friend auto operator<=>(NodeLife const&, NodeLife const&) = default;
};
// Nodes that the coordinator has lost; every live master answers each round with what it hears of them (protocol.md §6).
struct SuspectsRecord {
  std::uint64_t round = 0;
  std::vector<NodeLife> nodes;  // ascending
  std::string hold{};           // why those that nobody hears are not declared down; empty: nothing is held back
  friend bool operator==(SuspectsRecord const&, SuspectsRecord const&) = default;
};
struct SeenRecord {
  NodeId master;
  std::string session;
  std::uint64_t round = 0;
  bool counts = true;           // false: this master was paused too often to be a witness
  std::vector<NodeLife> heard;    // of the round's suspects; ascending
  std::vector<NodeLife> unknown;  // of them: never heard in this session, and still waited for; ascending
  friend bool operator==(SeenRecord const&, SeenRecord const&) = default;
};
struct NodeRecord {
  NodeId id;
  std::string name;
  std::vector<Role> roles;
  std::map<std::string, std::string> labels;
  Availability availability = Availability::Active;
  NodeStatus status = NodeStatus::Up;
  std::uint64_t incarnation = 1;
  friend bool operator==(NodeRecord const&, NodeRecord const&) = default;
};
// The head without the specs and digests, which have keys of their own: revisions maps to empty records.
struct HeadRecord {
  Head head;
};
struct SpecRecord {
  std::string service;
  std::uint32_t revision = 0;
  RevisionRecord content;
};
struct EventRecord {
  std::string service;
  JournalEvent event;
};
// Stands in for the head after a removal, so that a repeated request is answered alike.
struct GoneRecord {
  std::string service;
  ServiceUid uid;
  Wall at{};
  std::vector<RequestMemo> requests;
  friend bool operator==(GoneRecord const&, GoneRecord const&) = default;
};

// The one instance that a slot which must not be doubled is given to (protocol.md §7), from before its offer until nothing of it can
// run any more. `token` grows with each instance of the slot: what its agent refuses, and what storage can check. `stop_after` is the
// length of its lease.
struct SlotRecord {
  std::string service;
  std::uint32_t slot = 0;
  InstanceId instance;
  std::uint32_t revision = 0;
  NodeId node;
  std::uint64_t incarnation = 0;  // of the node: leases of other lives do not count for it
  std::uint64_t token = 0;
  Duration stop_after{};
  friend bool operator==(SlotRecord const&, SlotRecord const&) = default;
};

using Record = std::variant<ClusterRecord, ShardRecord, NodeRecord, HeadRecord, SpecRecord, EventRecord, GoneRecord, MasterRecord,
                            CoordinatorRecord, SuspectsRecord, SeenRecord, SlotRecord>;

std::string cluster_key();
std::string shard_key(ShardId shard);
std::string node_key(NodeId node);
std::string master_key(NodeId master);
std::string coordinator_key();
std::string suspects_key();
std::string seen_key(NodeId master);
std::string service_prefix(std::string_view service);  // "davit/v1/services/<shard>/<name>/"
std::string head_key(std::string_view service);
std::string gone_key(std::string_view service);
std::string spec_key(std::string_view service, std::uint32_t revision);
std::string event_key(std::string_view service, std::uint64_t number);  // numbers are padded, so that keys sort by them
std::string slot_key(std::string_view service, std::uint32_t slot);
std::string key_of(Record const& record);
// The service and the slot that the key is of, if it is a slot's.
std::optional<std::pair<std::string, std::uint32_t>> slot_of(std::string_view key);

}  // namespace davit::model
