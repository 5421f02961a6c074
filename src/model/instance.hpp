// An instance as its agent reports it: one container of a service, over all its restarts on one node.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/engine.hpp"
#include "model/enum_names.hpp"

namespace davit::model {

// Pending, Offered: the owner's, no agent has admitted it yet. Preparing … Failed: the agent's. Lost: the owner's, when the
// agent no longer knows it. Only a restart in place leads back: Failed or Exited → Preparing, as the next attempt.
//
//   Pending → Offered → Preparing → Starting → Running → Stopping → (gone)
//                          ↑________________________|______ Exited, Failed
enum class InstanceState : std::uint8_t { Pending, Offered, Preparing, Starting, Running, Stopping, Exited, Failed, Lost };
DAVIT_ENUM_NAMES(InstanceState, {InstanceState::Pending, "pending"}, {InstanceState::Offered, "offered"},
                 {InstanceState::Preparing, "preparing"}, {InstanceState::Starting, "starting"}, {InstanceState::Running, "running"},
                 {InstanceState::Stopping, "stopping"}, {InstanceState::Exited, "exited"}, {InstanceState::Failed, "failed"},
                 {InstanceState::Lost, "lost"});

// Why an instance is where it is. Documented in docs/api.md; clients may switch over it.
enum class Reason : std::uint8_t {
  None,
  NoNodeFits,       // no node meets the spec; the message counts why
  NotEnoughCpu,     // the node's unreserved cores do not suffice
  NotEnoughMemory,  // the node's unreserved memory does not suffice
  HostPortInUse,    // the fixed port is taken on the node
  PortsExhausted,   // the node's range of picked ports is used up
  MaxPerNode,       // placement.max_replicas_per_node is reached
  EngineAway,       // the node's engine does not answer
  ImageNotFound,
  RegistryAuth,     // the registry wants other credentials
  PullFailed,
  BadConfig,        // the engine refuses the container's configuration
  StartFailed,
  StartTimeout,     // not healthy within its time
  Exited,           // the process ended; exit_code says how
  OomKilled,
  CrashLoop,        // ended several times in a row
  Unhealthy,
  Paused,           // somebody paused the container
  Vanished,         // somebody removed the container
  NodeDown,
  NodeUnreachable,
  ScaledDown,
  Replaced,         // by an instance of another revision, or on another node
  ServiceRemoved,
  LeaseEnded,       // no master has confirmed in time that it may run: its service wants it to stop then
  NoGuard,          // the node lacks the guard that ends such instances
};
DAVIT_ENUM_NAMES(Reason, {Reason::None, ""}, {Reason::NoNodeFits, "no_node_fits"}, {Reason::NotEnoughCpu, "not_enough_cpu"},
                 {Reason::NotEnoughMemory, "not_enough_memory"}, {Reason::HostPortInUse, "host_port_in_use"},
                 {Reason::PortsExhausted, "ports_exhausted"}, {Reason::MaxPerNode, "max_per_node"}, {Reason::EngineAway, "engine_away"},
                 {Reason::ImageNotFound, "image_not_found"}, {Reason::RegistryAuth, "registry_auth"}, {Reason::PullFailed, "pull_failed"},
                 {Reason::BadConfig, "bad_config"}, {Reason::StartFailed, "start_failed"}, {Reason::StartTimeout, "start_timeout"},
                 {Reason::Exited, "exited"}, {Reason::OomKilled, "oom_killed"}, {Reason::CrashLoop, "crash_loop"},
                 {Reason::Unhealthy, "unhealthy"}, {Reason::Paused, "paused"}, {Reason::Vanished, "vanished"},
                 {Reason::NodeDown, "node_down"}, {Reason::NodeUnreachable, "node_unreachable"}, {Reason::ScaledDown, "scaled_down"},
                 {Reason::Replaced, "replaced"}, {Reason::ServiceRemoved, "service_removed"}, {Reason::LeaseEnded, "lease_ended"},
                 {Reason::NoGuard, "no_guard"});

// The container that an instance has now, or had last.
struct ContainerRef {
  std::string id;
  std::string name;
  std::string address;
  friend bool operator==(ContainerRef const&, ContainerRef const&) = default;
};

// What a running instance uses, in whole numbers: a sum of what comes and goes is exact. 8 bytes, because there may be millions.
struct InstanceUse {
  std::uint32_t millicores = 0;
  std::uint32_t memory_kib = 0;  // up to 4 TiB
  friend bool operator==(InstanceUse const&, InstanceUse const&) = default;
};

// Times are ages at the moment of sending, because clocks of two machines differ.
struct InstanceReport {
  InstanceId id;
  ServiceUid uid;
  std::string service;
  std::uint32_t slot = 0;
  std::uint32_t revision = 0;
  std::uint64_t token = 0;  // of its slot, where that must not be doubled
  Fence fence;
  InstanceState state = InstanceState::Preparing;
  Health health = Health::None;
  bool ready = false;
  Reason reason = Reason::None;
  std::string message;
  std::uint32_t restarts = 0;
  std::uint32_t failures = 0;  // in a row on this node; what attempts_per_node bounds
  std::optional<std::int64_t> exit_code;
  ContainerRef container;
  std::string previous_container;  // of the attempt before, where it is kept for its logs
  std::vector<PublishedPort> ports;
  std::string digest;  // of the image that it runs, where the engine knows one
  Duration created_ago{};
  Duration state_ago{};
  Duration ready_ago{};   // of one that is ready: since when, without a break
  Duration served_for{};  // the longest that it was ready before, without a break, as far as its agent has watched it
  bool was_found = false;  // its container runs, or ran, since before its agent did: it may have served for longer
  std::optional<Duration> started_ago;
  std::optional<Duration> next_start_in;
  friend bool operator==(InstanceReport const&, InstanceReport const&) = default;
};

}  // namespace davit::model
