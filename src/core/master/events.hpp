// What happens to a Master and what it asks for: plain values. The driver turns ports' words into Events and performs Actions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "core/master/state.hpp"
#include "core/master/store_view.hpp"
#include "model/command.hpp"
#include "model/link.hpp"
#include "model/peer.hpp"
#include "model/records.hpp"

namespace davit::master {

using model::Applied;

// ---- events
struct Started {};
struct Loaded {
  Result<StoreBatch> outcome;  // everything under davit/v1/ at one revision
};
// Of the watch that Follow began: in order, without gaps.
struct StoreChanged {
  StoreBatch batch;
};
// The watch shows nothing more: it has lost changes to a compaction, or shows a record that this version cannot read.
struct WatchEnded {
  std::string why;
};
struct Written {
  bool succeeded = false;  // false: a compare did not hold
  std::int64_t revision = 0;
};
struct WriteDone {
  OpId op = 0;
  Result<Written> outcome;
};
struct Granted {
  std::int64_t lease = 0;
  Duration ttl{};
};
// Of GrantLease, RenewLease and RevokeLease (where what is granted says nothing). Code::NotFound: the lease has ended.
struct LeaseDone {
  OpId op = 0;
  Result<Granted> outcome;
};
struct RevisionRead {
  OpId op = 0;
  Result<std::int64_t> outcome;
};
// An answer to MeasureStore.
struct StoreMeasured {
  std::int64_t size_bytes = 0;
  std::int64_t quota_bytes = 0;  // 0: none
};
struct CommandArrived {
  CommandId id = 0;
  model::Command command;
};
struct NodeCommandArrived {
  CommandId id = 0;
  model::NodeCommand command;
};
struct FromAgent {
  NodeId node;
  model::ToMaster message;
};
struct AgentLeft {
  NodeId node;
};
struct PeerJoined {
  NodeId master;
};
struct FromPeer {
  NodeId master;
  model::PeerMessage message;
};
struct PeerLeft {
  NodeId master;
};
// Something that was for it waited for too long: it was not sent, and the connection stands.
struct DroppedForAgent {
  NodeId node;
};
struct DroppedForPeer {
  NodeId master;
};
// The process is to stop: what this master holds goes to others first, for five seconds at most.
struct Leave {};
struct Tick {};
using Event =
    std::variant<Started, Loaded, StoreChanged, WatchEnded, WriteDone, LeaseDone, RevisionRead, StoreMeasured, CommandArrived,
                 NodeCommandArrived, FromAgent, AgentLeft, PeerJoined, FromPeer, PeerLeft, DroppedForAgent, DroppedForPeer, Leave, Tick>;

// ---- actions
struct Load {};
struct Follow {
  std::int64_t from = 0;  // replaces an earlier watch
};
struct GrantLease {
  OpId op = 0;
  Duration ttl{};
};
struct RenewLease {
  OpId op = 0;
  std::int64_t lease = 0;
  Monotonic deadline{};
};
// Of a session that is over: its keys go with it, which need not wait for the end of the lease then.
struct RevokeLease {
  OpId op = 0;
  std::int64_t lease = 0;
  Monotonic deadline{};
};
// The store's revision by a linearizable read.
struct ReadRevision {
  OpId op = 0;
  Monotonic deadline{};
};
// One transaction. Compares name a key and the number it must have; completed by WriteDone.
struct Compare {
  enum class Target : std::uint8_t { Version, CreateRevision, ModRevision };
  std::string key;
  Target target = Target::Version;
  std::int64_t value = 0;
  friend bool operator==(Compare const&, Compare const&) = default;
};
struct Write {
  OpId op = 0;
  std::vector<Compare> compares;
  std::vector<model::Record> puts;
  std::vector<std::string> erases;
  std::int64_t lease = 0;  // of the puts; 0: none
};
struct Compact {
  std::int64_t before_revision = 0;
};
// How full the store is; completed by StoreMeasured, or not at all.
struct MeasureStore {};
// Written to the socket by `valid_until`, or dropped: the session that it belongs to may have ended.
struct Send {
  NodeId node;
  model::ToAgent message;
  Monotonic valid_until = kNever;
};
struct SendPeer {
  NodeId master;
  model::PeerMessage message;
  Monotonic valid_until = kNever;
};
struct KeepPeers {
  std::vector<model::MasterAddress> masters;  // the others
};
struct Reply {
  CommandId id = 0;
  Result<Applied> outcome;
};
// After Leave: this master holds nothing any more, and its session has ended in the store, or could not be ended in time. The process
// may go: what it has asked of the store has been answered.
struct Left {};
struct Changed {
  Transition what;
};
struct Noted {
  bool is_warning = false;
  std::string text;
};
using Action = std::variant<Load, Follow, GrantLease, RenewLease, RevokeLease, ReadRevision, Write, Compact, MeasureStore, Send, SendPeer,
                            KeepPeers, Reply, Left, Changed, Noted>;
using Actions = std::vector<Action>;

}  // namespace davit::master
