// The agent's machine: from what its masters want and what the engine shows to what must be done on this node.
// It admits instances, runs them through restarts, adopts its own containers after a restart, and touches no other's.
// Owned by AgentDriver for the process's life; control thread; no I/O, clock or log call.
//
// Rules that hold throughout (protocol.md §5, §8):
// - before its first complete list of the engine's containers it answers no fence and admits nothing;
// - it obeys a command only under the highest epoch that it has stored durably for the shard;
// - it stops or removes only by such a command: what nobody speaks for stays;
// - that the engine is away says nothing about its containers;
// - what must not be doubled runs only under a lease that a master has granted, and a slot that was given back is refused for good.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "core/agent/instance.hpp"
#include "core/agent/port_pool.hpp"
#include "core/agent/reserved.hpp"
#include "core/agent/restart.hpp"
#include "core/registry/registrar.hpp"
#include "model/agent_state.hpp"
#include "model/directory.hpp"
#include "model/engine.hpp"
#include "model/lease.hpp"
#include "model/link.hpp"
#include "model/node.hpp"
#include "model/probe.hpp"

namespace davit::agent {

inline constexpr std::string_view kPortGiven = "another instance was given its port";
inline constexpr std::string_view kLeaseEndedText = "its lease has ended: no master has confirmed in time that it may run here";

struct Options {
  model::NodeFacts facts;  // of the engine only what the engine says later
  PortRange ports;
  std::uint32_t starts_at_once = 8;  // beyond it an engine gains little, and each start takes longer
  std::uint32_t pulls_at_once = 3;
  bool has_registry = false;  // to be told where instances are found
  bool has_guard = false;                     // beside this agent; without it no instance is admitted that must not be doubled
  std::string boot;                           // of the machine: of which boot the lease file's times are
  std::vector<model::ContainerLease> leases;  // what the lease file held when the agent started
};

// ---- events
struct MasterJoined {
  NodeId master;
};
struct MasterLeft {
  NodeId master;
};
struct FromMaster {
  NodeId master;
  model::ToAgent message;
};
struct EngineHinted {
  model::EngineHint hint;
};
struct CallDone {
  OpId op = 0;
  Result<model::EngineReply> outcome;
};
struct StateSaved {
  Status outcome;
};
struct LeasesWritten {
  Status outcome;
};
struct Probed {
  OpId op = 0;
  Status outcome;
};
struct RegistryAnswered {
  registry::CallDone what;
};
struct LoadMeasured {
  model::NodeLoad load;
};
// The process ends and takes its containers along: they are removed, and the next process's master places others.
struct StopServices {};
struct Tick {};
using Event = std::variant<MasterJoined, MasterLeft, FromMaster, EngineHinted, CallDone, StateSaved, LeasesWritten, Probed,
                           RegistryAnswered, LoadMeasured, StopServices, Tick>;

// ---- actions
struct Call {
  OpId op = 0;
  model::EngineCall what;
  Monotonic deadline{};
};
struct Send {
  NodeId master;
  model::ToMaster message;
};
// The masters of the cluster, as the last master told: connections to all of them are wanted.
struct KeepConnected {
  std::vector<model::MasterAddress> masters;
};
// Completed by StateSaved; at most one at a time.
struct SaveState {
  model::AgentState state;
};
// The whole file, for the guard. Completed by LeasesWritten; at most one at a time.
struct WriteLeases {
  std::vector<model::ContainerLease> all;
};
// Completed by Probed.
struct Probe {
  OpId op = 0;
  model::ProbeTarget target;
  Monotonic deadline{};
};
// Completed by RegistryAnswered.
struct AskRegistry {
  registry::Call what;
};
// To whoever answers clients on this node.
struct ShowDirectory {
  std::shared_ptr<model::Directory const> directory;
};
// One line for the log.
struct Noted {
  bool is_warning = false;
  std::string text;
};
using Action = std::variant<Call, Send, KeepConnected, SaveState, WriteLeases, Probe, AskRegistry, ShowDirectory, Noted>;
using Actions = std::vector<Action>;

class Agent {
 public:
  Agent(Options options, model::AgentState state);

  void step(Now now, Event const& event, Actions& actions);
  Monotonic wake_at() const;
  // Why the node is not yet as its masters want it, in words; empty when it is.
  std::vector<std::string> pending() const;
  bool all_stopped() const;  // after StopServices
  std::optional<ClusterId> const& cluster() const { return state_.cluster; }  // once a master has said it
  model::Directory const* directory() const { return shown_.get(); }          // as shown last; null: nothing is known yet
  std::map<InstanceId, Instance> const& instances() const { return instances_; }

 private:
  struct PullJob {
    OpId op = 0;  // 0: waits for its turn
    std::set<InstanceId> waiting;
  };
  struct Garbage {
    OpId op = 0;
    std::uint32_t tries = 0;
    Monotonic at{};
  };

  // From whom a shard's newest fence has come: its owner, or a master that passes its words on.
  struct Way {
    Epoch epoch;
    std::uint64_t round = 0;
    NodeId master;
  };
  // To one master or to all, once the refusal of its token is durable.
  struct Unsaid {
    std::optional<NodeId> master;
    model::InstanceGone gone;
  };

  // agent.cpp: masters and the engine's hints
  void on(MasterJoined const& event);
  void on(MasterLeft const& event);
  void on(FromMaster const& event);
  void on(EngineHinted const& event);
  void on(CallDone const& event);
  void on(StateSaved const& event);
  void on(LoadMeasured const& event);
  void on(StopServices const&);
  void on(Tick const&);
  void on_message(NodeId master, model::Welcome const& message);
  void on_message(NodeId master, model::FenceShards const& message);
  void on_message(NodeId master, model::RunInstance const& message);
  void on_message(NodeId master, model::StopInstance const& message);
  void on_message(NodeId master, model::BeatBack const& message);
  void on_message(NodeId master, model::DirectoryChanged const& message);
  void learn_masters(model::Welcome const& message);
  void learn_life(std::uint64_t incarnation);
  void send_beat(NodeId master, Monotonic echo);
  void send(NodeId master, model::ToMaster message);
  void send_all(model::ToMaster const& message);
  bool obeys(Fence fence) const;
  bool obeys(NodeId master, Fence fence) const;  // a word that `master` has said or passed on
  void save_state();
  void answer_fences();
  void admit(NodeId master, model::RunInstance const& message);
  Result<std::vector<model::PublishedPort>> check_admission(model::RunInstance const& message);
  void reserve(Instance& instance);
  void confirm(Instance& instance, model::RunInstance const& message);
  void name_ports(Instance& instance);
  void go_on(Instance& instance);
  void see_ready();
  void send_reports();

  // adoption.cpp: what the engine shows
  void list_containers();
  void on_listed(model::ContainerList const& list);
  void adopt(Identity const& identity, model::ContainerSummary const& container);
  void on_adoption_inspected(Instance& instance, Result<model::EngineReply> const& outcome);
  void check_listed();

  // starting.cpp: from an order to a running container, and back after its end
  void advance(Instance& instance);
  void check_image(Instance& instance);
  void on_image(Instance& instance, Result<model::EngineReply> const& outcome);
  void request_pull(Instance& instance);
  void start_pulls();
  void on_pulled(std::string const& reference, Result<model::EngineReply> const& outcome);
  void take_turns();
  void create(Instance& instance);
  void on_created(Instance& instance, Result<model::EngineReply> const& outcome);
  void on_name_taken(Instance& instance, Result<model::EngineReply> const& outcome);
  void begin_start(Instance& instance);
  void on_started(Instance& instance, Result<model::EngineReply> const& outcome);
  void retry_with_other_ports(Instance& instance, std::string const& message);
  void create_with_other_ports(Instance& instance, std::string const& message);
  void inspect(Instance& instance);
  void on_inspected(Instance& instance, Result<model::EngineReply> const& outcome);
  void see_end_of_adopted(Instance& instance, model::ContainerDetail const& detail);
  void on_adopted_inspected(Instance& instance, Result<model::EngineReply> const& outcome);
  void observe(Instance& instance, model::ContainerDetail const& detail);
  void on_ended(Instance& instance, model::Reason reason, std::string message, bool clean);
  void fail_attempt(Instance& instance, model::Reason reason, std::string message);
  void finish_or_back_off(Instance& instance, Ending ending);

  // leases.cpp: instances that must not be doubled
  void on(LeasesWritten const& event);
  Status check_slot(model::RunInstance const& offer) const;
  void claim_slot(Instance& instance, model::RunInstance const& message);
  bool is_confirmation(Instance const& instance, model::RunInstance const& message) const;
  void recall_claim(Instance& instance);
  bool was_given_back(Instance const& instance) const;
  void refuse_slot(ServiceUid uid, std::uint32_t slot, std::uint64_t token);
  void forget_old_claims();
  void say_gone(std::optional<NodeId> master, model::InstanceGone gone);
  void say_what_is_refused();
  void on_grant(model::Grant const& grant);
  void extend_lease(Instance& instance);
  bool may_run(Instance const& instance) const;
  bool was_cut_short(Instance const& instance) const;
  bool was_in_lapse(Instance const& instance, std::optional<Wall> ended) const;
  void keep_leases();
  void keep_lease(Instance& instance);
  void start_under_lease(Instance& instance);
  void end_lease(Instance& instance);
  void write_leases();

  // measuring.cpp: what instances use
  void measure_instances();
  bool is_measurable(Instance const& instance) const;
  void on_measured(Result<model::EngineReply> const& outcome);
  void tell_uses();

  // following.cpp: the cluster's directory, from one master at a time
  void keep_following();
  std::optional<NodeId> master_to_follow() const;
  void stop_following();

  // probing.cpp
  void on(Probed const& event);
  void begin_probing(Instance& instance);
  void end_probing(Instance& instance);
  void send_probes();
  void restart_if_unwell(Instance& instance);

  // registering.cpp: what clients find in the registry
  void on(RegistryAnswered const& event);
  void keep_registered();
  void tell_registrar(registry::Event const& event);
  std::vector<model::RegistryEntry> entries_of(Instance const& instance) const;
  Duration leave_registry(Instance const& instance);
  void drain_those_who_left();

  // stopping.cpp
  void begin_stop(Instance& instance, model::Reason reason);
  void continue_stop(Instance& instance);
  void on_stopped(Instance& instance, Result<model::EngineReply> const& outcome);
  void on_removed(Instance& instance, Result<model::EngineReply> const& outcome);
  void stop_to_restart(Instance& instance, model::Reason reason, std::string message);
  void forget(Instance& instance);
  void leave_pull(Instance const& instance);
  void discard(std::string const& container);
  void collect_garbage();

  OpId call(model::EngineCall what, Duration limit);
  void call(Instance& instance, model::EngineCall what, Duration limit);
  void on_instance_call(Instance& instance, Result<model::EngineReply> const& outcome);
  void set_phase(Instance& instance, Phase phase);
  void touch(Instance const& instance) {
    changed_.insert(instance.identity.instance);
    unregistered_.insert(instance.identity.instance);
  }
  void wake(Instance& instance, Monotonic at);
  void note(Instance const& instance, std::string_view text, bool is_warning = false);
  Instance* find(InstanceId id);
  Owner owner() const { return {*state_.cluster, state_.node}; }

  Options options_;
  model::AgentState state_;
  PortPool ports_;
  Reserved reserved_;
  std::map<InstanceId, Instance> instances_;
  std::map<std::string, InstanceId> by_container_;
  std::map<OpId, InstanceId> calls_;
  std::map<std::string, PullJob> pulls_;
  std::map<std::string, Garbage> garbage_;
  std::map<std::string, Monotonic> appeared_;  // of no instance yet: when to look whose they are; kNever: being looked at
  std::deque<InstanceId> turns_;  // wait in Phase::Turn
  std::set<std::pair<Monotonic, InstanceId>> wakes_;
  std::set<std::pair<Monotonic, InstanceId>> probes_due_;
  std::map<OpId, InstanceId> probes_;  // under way
  std::set<InstanceId> changed_;  // to report at the end of the step
  std::vector<std::pair<NodeId, model::FenceShards>> unanswered_;
  std::array<Way, kShards> ways_;
  std::map<NodeId, Monotonic> masters_;  // connected; with the last stamp of each, which the next beat echoes
  std::set<NodeId> foreign_;              // connected, and of another cluster
  std::vector<model::MasterAddress> addresses_;
  Epoch addresses_as_of_;
  std::optional<NodeId> follows_;  // the master that tells the directory
  Monotonic followed_at_{};        // when it was last heard
  Monotonic told_at_{};            // the last part of it; when it was asked, until then
  bool is_whole_ = false;          // it has done so
  std::set<NodeId> knows_nothing_;  // masters that have said so, or were silent; until they are asked again
  Monotonic ask_again_at_{};
  std::shared_ptr<model::Directory> directory_;  // as told so far
  std::shared_ptr<model::Directory const> shown_;
  std::uint64_t incarnation_ = 0;  // the highest that a master has told
  Duration beat_interval_ = std::chrono::seconds(1);
  Monotonic next_beat_{};
  model::NodeLoad load_;
  OpId next_op_ = 1;
  OpId list_op_ = 0;
  OpId info_op_ = 0;
  OpId measure_op_ = 0;  // of the first in to_measure_
  std::deque<InstanceId> to_measure_;
  bool is_measuring_ = false;        // a round, which ends with what masters are told
  Monotonic next_measure_{};
  bool must_tell_all_uses_ = false;  // not only those that are news
  Monotonic next_list_ = kNever;
  std::uint32_t list_failures_ = 0;
  std::uint32_t starting_ = 0;  // instances in Create and Start
  bool engine_up_ = false;
  bool was_listed_ = false;     // the first complete list has come
  bool list_again_ = false;
  bool is_complete_ = false;    // … and every container in it has been inspected
  Monotonic complete_at_ = kNever;  // when the first outcomes of probes are waited for no longer
  bool are_first_probes_over_ = false;
  model::AgentState durable_;
  model::AgentState being_saved_;
  bool saving_ = false;
  bool save_again_ = false;
  bool stopping_services_ = false;

  std::optional<registry::Registrar> registrar_;  // where there is a registry, once the cluster is known
  std::set<InstanceId> unregistered_;             // may have to stand in it otherwise than they do
  std::set<InstanceId> leaving_;                  // stop, and may stand in it still
  bool has_told_registrar_all_ = false;

  std::set<InstanceId> leased_;  // of the instances: those that must not be doubled
  model::Grant lease_;           // the newest
  Monotonic next_lease_end_ = kNever;
  std::vector<Unsaid> unsaid_;
  std::map<std::string, Monotonic> written_leases_;  // by container: what the guard knows
  std::map<std::string, Monotonic> leases_being_written_;
  Monotonic write_leases_at_{};  // after a failure
  bool is_writing_leases_ = false;

  // Of the step in progress.
  Now now_{};
  Actions* out_ = nullptr;
};

}  // namespace davit::agent
