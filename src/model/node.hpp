// A node as its agent describes it, and the node's place in the cluster as the store keeps it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/units.hpp"
#include "model/engine.hpp"
#include "model/enum_names.hpp"

namespace davit::model {

enum class NodeStatus : std::uint8_t { Up, Unreachable, Down };
DAVIT_ENUM_NAMES(NodeStatus, {NodeStatus::Up, "up"}, {NodeStatus::Unreachable, "unreachable"}, {NodeStatus::Down, "down"});

enum class Availability : std::uint8_t { Active, Pause, Drain };
DAVIT_ENUM_NAMES(Availability, {Availability::Active, "active"}, {Availability::Pause, "pause"}, {Availability::Drain, "drain"});

enum class Role : std::uint8_t { Master, Worker };
DAVIT_ENUM_NAMES(Role, {Role::Master, "master"}, {Role::Worker, "worker"});

struct NodeFacts {
  NodeId id;
  std::string name;
  std::string address;  // the advertise address
  std::uint16_t link_port = 0;
  std::vector<Role> roles;
  std::map<std::string, std::string> labels;  // the node's own, as its process was started with
  EngineInfo engine;    // version is empty while the engine was never reached
  bool engine_up = false;
  std::string engine_message;  // why not
  friend bool operator==(NodeFacts const&, NodeFacts const&) = default;
};

// Pressure stall information of the kernel: the share of the last ten seconds in which some of the tasks waited for a processor, and in
// which all of those that had something to do waited for memory, for a disk. 0 to 1.
struct Pressure {
  double cpu = 0;
  double memory = 0;
  double io = 0;
  friend bool operator==(Pressure const&, Pressure const&) = default;
};

// Live values; cpus in cores.
struct NodeLoad {
  double cpus_used = 0;
  double load_1m = 0;
  Bytes memory_used;
  std::optional<Pressure> pressure;  // where the kernel tells
  friend bool operator==(NodeLoad const&, NodeLoad const&) = default;
};

struct ResourceAmount {
  double cpus = 0;
  Bytes memory;
  friend bool operator==(ResourceAmount const&, ResourceAmount const&) = default;
};

}  // namespace davit::model
