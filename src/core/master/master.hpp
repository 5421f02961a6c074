// The master's machine: the ServiceMasters of the shards it owns. Users' commands become events of a journal, and the journal's
// head together with what agents report becomes orders to agents.
// Owned by MasterDriver for the process's life; control thread; no I/O, clock or log call.
//
// Rules that hold throughout (protocol.md §2, §5):
// - it acts for a shard only once its own grant is durable, and every write compares that grant;
// - a user is answered when the event is durable, never before;
// - it acts on a service only when every worker that is not down has answered its fence: absence is never an order.
//
//   Loading ─store read─→ Claiming ─grants durable─→ Active
//                              └──── a compare failed: another session took over ──→ Fenced (acts no more)
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "core/master/state.hpp"
#include "model/link.hpp"
#include "model/records.hpp"

namespace davit::master {

struct Options {
  ClusterId new_cluster;   // the id of the cluster, if the store holds none yet
  std::string session;     // unique to this life of the process
  std::size_t orders_per_step = 256;  // more are cut into further steps, so that none is long
};

// What the store holds under davit/v1/, decoded.
struct StoreImage {
  std::optional<model::ClusterRecord> cluster;
  std::vector<model::Head> heads;  // each with its specs and its uid
  std::vector<model::GoneRecord> gone;
  std::vector<model::NodeRecord> nodes;
  std::map<std::string, std::int64_t> mod_revisions;  // of the cluster's, the shards' and the nodes' keys
  std::map<std::uint16_t, std::string> sessions;      // that hold the shards
  std::int64_t revision = 0;
};

// ---- events
struct Started {};
struct Loaded {
  OpId op = 0;
  Result<StoreImage> outcome;
};
struct Written {
  bool succeeded = false;  // false: a compare did not hold
  std::int64_t revision = 0;
};
struct WriteDone {
  OpId op = 0;
  Result<Written> outcome;
};
struct CommandArrived {
  CommandId id = 0;
  service::Command command;
};
struct FromAgent {
  NodeId node;
  model::ToMaster message;
};
struct AgentLeft {
  NodeId node;
};
struct Tick {};
using Event = std::variant<Started, Loaded, WriteDone, CommandArrived, FromAgent, AgentLeft, Tick>;

// ---- actions
struct Load {
  OpId op = 0;
};
// One transaction. Compares name a key and the number it must have; completed by WriteDone.
struct Compare {
  enum class Target : std::uint8_t { Version, ModRevision };
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
};
struct Send {
  NodeId node;
  model::ToAgent message;
};
struct Applied {
  std::uint64_t generation = 0;
  std::uint32_t revision = 0;
  std::int64_t store_revision = 0;
  bool created = false;
  bool replayed = false;   // it had been carried out before
  bool unchanged = false;  // it asked for what was so already
};
struct Reply {
  CommandId id = 0;
  Result<Applied> outcome;
};
struct Changed {
  Transition what;
};
struct Noted {
  bool is_warning = false;
  std::string text;
};
using Action = std::variant<Load, Write, Send, Reply, Changed, Noted>;
using Actions = std::vector<Action>;

enum class Phase : std::uint8_t { Loading, Claiming, Active, Fenced };

class Master {
 public:
  explicit Master(Options options) : options_(std::move(options)) {}

  void step(Now now, Event const& event, Actions& actions);
  Monotonic wake_at() const;
  std::vector<std::string> pending() const;

  // Reads, for the API. A service of which exists() is false is not to be shown yet.
  Phase phase() const { return phase_; }
  std::map<std::string, Service> const& services() const { return services_; }
  Service const* find_service(std::string_view name) const;
  std::vector<Node> const& nodes() const { return nodes_; }
  Node const* node(NodeIx ix) const { return ix == kNoNode ? nullptr : &nodes_[static_cast<std::size_t>(ix)]; }
  std::optional<model::ClusterRecord> const& cluster() const { return cluster_; }
  std::uint64_t version() const { return version_; }  // the newest of all services' versions, also after a removal
  std::int64_t store_revision() const { return store_revision_; }
  // What the command would lead to, without doing it: the head after it.
  Result<model::Head> dry_run(service::Command const& command, Wall now) const;

 private:
  struct Append {
    std::string service;
    model::Head head;  // after it
    model::JournalEvent event;
    CommandId reply_to = 0;  // 0: the owner's own decision
  };
  struct Removal {
    std::string service;
    model::GoneRecord gone;
  };
  struct ClusterWrite {};
  struct ShardClaim {
    std::vector<ShardId> shards;
  };
  struct NodeWrite {
    NodeId node;
  };
  struct GoneErasure {};
  using PendingWrite = std::variant<Append, Removal, ClusterWrite, ShardClaim, NodeWrite, GoneErasure>;
  struct InFlight {
    PendingWrite what;
    Write write;  // sent again, the same, when its outcome is unknown
    Monotonic retry_at = kNever;
    bool was_unknown = false;
  };

  // boot.cpp
  void on(Started const&);
  void on(Loaded const& event);
  void take_over(StoreImage image);
  void claim_shards();
  void on_written(ClusterWrite const&, Written const& written);
  void on_written(ShardClaim const& claim, Written const& written);
  void on_written(NodeWrite const& write, Written const& written);
  void on_write_failed(ClusterWrite const&, Error const&);
  void on_write_failed(ShardClaim const&, Error const&);
  void on_write_failed(NodeWrite const&, Error const&);
  void on_written(GoneErasure const&, Written const&);
  void on_write_failed(GoneErasure const&, Error const&);
  void forget_old_requests();
  void become_fenced();

  // commands.cpp: the journal
  void on(CommandArrived const& event);
  void on(WriteDone const& event);
  void carry_out(CommandId id, service::Command const& command);
  void append(Service& service, model::EventBody body, CommandId reply_to, service::Command const* command);
  void remove_records(Service& service);
  void on_written(Append const& append, Written const& written);
  void on_written(Removal const& removal, Written const& written);
  void on_write_failed(Append const& append, Error const& error);
  void on_write_failed(Removal const& removal, Error const& error);
  void next_command(Service& service);
  void retry_unknown();
  void settle_unknown(OpId op, StoreImage const& image);
  bool stands_in(StoreImage const& image, Append const& append) const;
  bool stands_in(StoreImage const& image, Removal const& removal) const;
  bool stands_in(StoreImage const& image, ClusterWrite const&) const;
  bool stands_in(StoreImage const& image, ShardClaim const& claim) const;
  bool stands_in(StoreImage const& image, NodeWrite const&) const;
  bool stands_in(StoreImage const& image, GoneErasure const&) const;
  Error not_acting() const;
  void submit(PendingWrite what, Write write);
  Fence fence_of(std::string_view service) const;
  Compare holds_shard(ShardId shard) const;
  void announce(Append const& append, model::Head const& before);

  // agents.cpp: what agents say
  void on(FromAgent const& event);
  void on(AgentLeft const& event);
  void on_message(Node& node, model::AgentHello const& message);
  void on_message(Node& node, model::FencesStored const& message);
  void on_message(Node& node, model::Verdict const& message);
  void on_message(Node& node, model::InstanceChanged const& message);
  void on_message(Node& node, model::InstanceGone const& message);
  void on_message(Node& node, model::Beat const& message);
  void on_message(Node& node, model::FactsChanged const& message);
  void welcome(Node& node);
  void fence_agent(Node& node);
  void record(Node& node);
  void merge(Node& node, model::InstanceReport const& report);
  void confirm(Service& service, Instance& instance);
  void drop_instances_not_in(Node& node, std::vector<model::InstanceReport> const& all);
  void stop_orphan(Node const& node, model::InstanceReport const& report);
  NodeIx index_of(NodeId id);
  Service* find_by_uid(ServiceUid uid);

  // reconcile.cpp: from plans to orders
  void on(Tick const&);
  void reconcile_due();
  void reconcile(Service& service);
  void place(Service& service, std::uint32_t slot);
  void offer(Service& service, Instance& instance);
  void order_stop(Service& service, Instance& instance, model::Reason reason);
  void retry(Service& service);
  void journal_decision(Service& service, std::optional<model::EventBody> decision);
  bool all_answered() const;
  Instance& insert(Service& service, Instance instance);
  void erase(Service& service, Instance const& instance);
  void account(Service& service, Instance const& instance, int sign);
  void set_node(Service& service, Instance& instance, NodeIx node);
  void set_state(Service& service, Instance& instance, model::InstanceState state, model::Reason reason, std::string message);
  void plan_at(Service& service, Monotonic at);
  void plan_soon(Service& service) { plan_at(service, now_.monotonic); }
  void plan_all_soon();
  void touch(Service& service);
  void refresh_statuses();
  void changed(Transition transition);
  void changed(Service const& service, Instance const& instance, model::InstanceState before);

  Options options_;
  Phase phase_ = Phase::Loading;
  std::optional<model::ClusterRecord> cluster_;
  std::vector<Node> nodes_;
  std::map<NodeId, NodeIx> node_ix_;
  std::map<std::string, Service> services_;
  std::map<ServiceUid, std::string> names_;
  std::map<std::string, model::GoneRecord> gone_;
  std::map<std::string, std::int64_t> mod_revisions_;  // of the cluster's, the shards' and the nodes' keys
  std::map<std::uint16_t, Epoch> epochs_;             // of the shards held
  std::map<OpId, InFlight> in_flight_;
  std::set<std::pair<Monotonic, std::string>> plans_;  // services by plan_at
  std::set<std::string> touched_;                      // status to be derived anew at the next tick
  std::set<std::uint16_t> claiming_;  // shards whose claim is on its way to the store
  std::optional<Error> boot_error_;   // why this master does not act yet
  Monotonic retry_boot_at_ = kNever;
  std::int64_t store_revision_ = 0;
  std::uint64_t version_ = 1;
  std::uint64_t next_op_ = 1;
  std::uint64_t next_instance_ = 1;
  std::uint64_t next_tag_ = 1;
  std::size_t orders_left_ = 0;  // in this step

  // Of the step in progress.
  Now now_{};
  Actions* out_ = nullptr;
};

}  // namespace davit::master
