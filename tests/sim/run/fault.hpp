// One thing that goes wrong for a while. A run's faults are drawn from its seed before it begins, each by itself, so that any of them can
// be left out and the others stay as they are.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "model/enum_names.hpp"
#include "sim/cluster/cluster.hpp"

namespace davit::sim {

enum class FaultKind : std::uint8_t {
  MasterCrash,       // and a new process later
  MasterLeave,       // in good order, and a new process later
  MasterPause,       // as by SIGSTOP
  AgentCrash,
  AgentPause,
  AgentStateLost,    // with a crash: its next process finds no state file
  StateSaveFails,
  GuardCrash,        // and its service manager starts it again
  MachineSuspend,    // all of it, and its network
  PowerLost,         // a worker's; it boots again
  ClockRate,
  WallJump,
  Cut,               // between two machines, both ways
  CutOneWay,
  Deaf,              // nothing reaches a worker, and all that it says arrives
  Partition,         // the machines fall into two groups
  ConnectionReset,
  SlowLink,
  MessagesDoubled,   // between two machines some are said twice, as those are that follow a connection's end
  StoreMemberDown,
  StoreMemberLags,
  StoreMemberSlow,   // its answers to reads take a while, and its clients keep to it
  StoreLeaderChange,
  StoreLeaderChangeLosesLease,
  StoreFlaky,        // calls answered late or never, done or not
  StoreFull,
  StoreNearlyFull,   // above the part of its quota up to which masters take more than removals
  StoreCompaction,
  LeaseLost,         // before its time
  EngineAway,        // its containers run on
  EngineCrash,       // and its containers with it
  EngineHangs,
  EngineRefuses,     // some starts and creations fail, done or not
  EngineSlow,
  EventsLost,
  ProbesFail,        // half of those that a worker's agent sends
  ContainerEnds,
  ContainerRemoved,  // by somebody
  ContainerPaused,
  ContainerCopied,   // by `docker commit`, labels and all, and the copy runs
};

}  // namespace davit::sim

namespace davit::model {
DAVIT_ENUM_NAMES(sim::FaultKind, {sim::FaultKind::MasterCrash, "master-crash"}, {sim::FaultKind::MasterLeave, "master-leave"},
                 {sim::FaultKind::MasterPause, "master-pause"}, {sim::FaultKind::AgentCrash, "agent-crash"},
                 {sim::FaultKind::AgentPause, "agent-pause"}, {sim::FaultKind::AgentStateLost, "agent-state-lost"},
                 {sim::FaultKind::StateSaveFails, "state-save-fails"}, {sim::FaultKind::GuardCrash, "guard-crash"},
                 {sim::FaultKind::MachineSuspend, "machine-suspend"}, {sim::FaultKind::PowerLost, "power-lost"},
                 {sim::FaultKind::ClockRate, "clock-rate"}, {sim::FaultKind::WallJump, "wall-jump"}, {sim::FaultKind::Cut, "cut"},
                 {sim::FaultKind::CutOneWay, "cut-one-way"}, {sim::FaultKind::Deaf, "deaf"}, {sim::FaultKind::Partition, "partition"},
                 {sim::FaultKind::ConnectionReset, "connection-reset"}, {sim::FaultKind::SlowLink, "slow-link"},
                 {sim::FaultKind::MessagesDoubled, "messages-doubled"}, {sim::FaultKind::StoreMemberDown, "store-member-down"},
                 {sim::FaultKind::StoreMemberLags, "store-member-lags"}, {sim::FaultKind::StoreMemberSlow, "store-member-slow"},
                 {sim::FaultKind::StoreLeaderChange, "store-leader-change"},
                 {sim::FaultKind::StoreLeaderChangeLosesLease, "store-leader-change-loses-lease"},
                 {sim::FaultKind::StoreFlaky, "store-flaky"}, {sim::FaultKind::StoreFull, "store-full"},
                 {sim::FaultKind::StoreNearlyFull, "store-nearly-full"}, {sim::FaultKind::StoreCompaction, "store-compaction"},
                 {sim::FaultKind::LeaseLost, "lease-lost"}, {sim::FaultKind::EngineAway, "engine-away"},
                 {sim::FaultKind::EngineCrash, "engine-crash"}, {sim::FaultKind::EngineHangs, "engine-hangs"},
                 {sim::FaultKind::EngineRefuses, "engine-refuses"}, {sim::FaultKind::EngineSlow, "engine-slow"},
                 {sim::FaultKind::EventsLost, "events-lost"}, {sim::FaultKind::ProbesFail, "probes-fail"},
                 {sim::FaultKind::ContainerEnds, "container-ends"}, {sim::FaultKind::ContainerRemoved, "container-removed"},
                 {sim::FaultKind::ContainerPaused, "container-paused"}, {sim::FaultKind::ContainerCopied, "container-copied"});
}  // namespace davit::model

namespace davit::sim {

struct Fault {
  std::size_t index = 0;  // in the run's whole schedule: its name, for --faults
  FaultKind kind = FaultKind::MasterCrash;
  Duration at{};          // after the start of the run
  Duration lasts{};       // zero: it happens once
  std::uint64_t where = 0;  // which master, agent, member or machine; taken modulo their number
  std::uint64_t other = 0;  // the other end of a link, or a size
};
std::string to_string(Fault const& fault);

// By time. `length` is that of the safety phase: all have ended by its end.
std::vector<Fault> draw_faults(Random random, Duration length, Duration mean_gap);

}  // namespace davit::sim
