// What masters and agents say to each other. The in-process link carries these values, the gRPC link their encoding.
// Every command carries a Fence; an agent obeys none below the highest epoch it has stored for the shard (protocol.md §5).
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/directory.hpp"
#include "model/instance.hpp"
#include "model/lease.hpp"
#include "model/node.hpp"
#include "model/spec.hpp"

namespace davit::model {

struct MasterAddress {
  NodeId id;
  std::string address;  // of its link
  friend bool operator==(MasterAddress const&, MasterAddress const&) = default;
};

// First on every connection, and whenever one of its values changes, from a master: which cluster this is, which life of the
// node the store knows, and where the masters are.
struct Welcome {
  ClusterId cluster;
  std::uint64_t incarnation = 0;  // 0: the node is not recorded yet
  std::vector<MasterAddress> masters;
  Epoch as_of;  // the era and the revision of the store that this master's view has reached
  friend bool operator==(Welcome const&, Welcome const&) = default;
};

// The owner of these shards (which may be none) from now on. Answered by FencesStored once the epochs are durable.
struct FenceShards {
  std::uint64_t round = 0;  // comes back with the answer; grows over the life of the asking process
  std::vector<Fence> fences;
  NodeId asker{};  // the master; comes back with the answer, as another one may pass both on
  friend bool operator==(FenceShards const&, FenceShards const&) = default;
};

// An offer; to an agent that has the instance already: the confirmation that it goes on, with the spec as it is now.
struct RunInstance {
  Fence fence;
  std::uint64_t incarnation = 0;  // of the node; an agent in a later life refuses
  InstanceId id;
  ServiceUid uid;
  std::string service;
  std::uint32_t slot = 0;
  std::uint32_t revision = 0;
  SpecRef spec;
  std::string digest;  // what the revision's image was resolved to; empty: not yet
  std::uint64_t token = 0;  // of the slot, where it must not be doubled; else 0
  Duration stop_after{};    // the length of its lease then
  friend bool operator==(RunInstance const&, RunInstance const&) = default;
};

// Stop and remove; an instance that the agent does not have is answered as gone. With a token, the agent refuses the slot's tokens up
// to it for ever before it answers.
struct StopInstance {
  Fence fence;
  InstanceId id;
  ServiceUid uid;
  std::uint32_t slot = 0;
  Reason reason = Reason::None;
  std::uint64_t token = 0;
  friend bool operator==(StopInstance const&, StopInstance const&) = default;
};

// Answers each Beat at once; the next beat echoes the stamp.
struct BeatBack {
  Monotonic stamp{};  // the master's clock
  Duration interval = std::chrono::seconds(1);  // until the next beat
  std::optional<Grant> grant;                   // by a master that may
  friend bool operator==(BeatBack const&, BeatBack const&) = default;
};

// Of the cluster's directory, to the agents that follow it at this master: first all of it, in as many messages as it takes, then what
// changes.
struct DirectoryChanged {
  bool is_first = false;  // what was told before counts no more
  bool is_whole = false;  // all has been told by now: until then it is not to be shown
  bool is_over = false;   // this master has lost its knowledge, or has none yet: another one is to be asked
  std::vector<ServiceChange> services;
  std::vector<NodeChange> nodes;
  friend bool operator==(DirectoryChanged const&, DirectoryChanged const&) = default;
};

using ToAgent = std::variant<Welcome, FenceShards, RunInstance, StopInstance, BeatBack, DirectoryChanged>;

// First on every connection, from an agent.
struct AgentHello {
  NodeFacts facts;
  std::uint64_t incarnation = 0;  // the last that it knows of; 0: none yet
  friend bool operator==(AgentHello const&, AgentHello const&) = default;
};
// With the complete list, which no earlier command of an older epoch can change any more.
struct FencesStored {
  std::uint64_t round = 0;
  std::vector<Fence> fences;  // those that the agent obeys
  std::vector<InstanceReport> all;
  NodeId asker{};
  friend bool operator==(FencesStored const&, FencesStored const&) = default;
};
struct Verdict {
  InstanceId id;
  ServiceUid uid;
  std::uint32_t slot = 0;
  bool admitted = false;
  Reason reason = Reason::None;  // why not
  std::string message;
  friend bool operator==(Verdict const&, Verdict const&) = default;
};
struct InstanceChanged {
  InstanceReport report;
  friend bool operator==(InstanceChanged const&, InstanceChanged const&) = default;
};
struct InstanceGone {
  InstanceId id;
  ServiceUid uid;
  std::uint32_t slot = 0;
  std::uint64_t token = 0;  // the slot's tokens up to this one are refused here for ever
  friend bool operator==(InstanceGone const&, InstanceGone const&) = default;
};
// At each interval, to each master: the node lives, and this is its load.
struct Beat {
  NodeLoad load;
  std::uint64_t incarnation = 0;
  Monotonic agent_clock{};
  Monotonic echo{};  // the last stamp of this master; zero: none yet
  Wall wall{};       // the agent's; zero: not told
  friend bool operator==(Beat const&, Beat const&) = default;
};
struct FactsChanged {
  NodeFacts facts;
  friend bool operator==(FactsChanged const&, FactsChanged const&) = default;
};

struct MeasuredInstance {
  InstanceId id;
  ServiceUid uid;
  std::uint32_t slot = 0;
  InstanceUse use;
  friend bool operator==(MeasuredInstance const&, MeasuredInstance const&) = default;
};
// At most each ten seconds, to every master: the instances whose use is another one than was told last; after a fence, all.
struct InstancesMeasured {
  std::vector<MeasuredInstance> some;
  friend bool operator==(InstancesMeasured const&, InstancesMeasured const&) = default;
};

// To one master at a time: whether it is to tell this agent the directory, from the beginning.
struct FollowDirectory {
  bool is_wanted = true;
  friend bool operator==(FollowDirectory const&, FollowDirectory const&) = default;
};

using ToMaster =
    std::variant<AgentHello, FencesStored, Verdict, InstanceChanged, InstanceGone, Beat, FactsChanged, InstancesMeasured, FollowDirectory>;

}  // namespace davit::model
