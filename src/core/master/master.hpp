// The master's machine: one of the cluster's masters, and the ServiceMasters of the shards it owns. Users' commands become events
// of a journal, and the journal's head together with what agents report becomes orders to agents.
// Owned by MasterDriver for the process's life; control thread; no I/O, clock or log call.
//
// Rules that hold throughout (protocol.md §2 to §5):
// - it follows the store by one ordered watch, and acts for a shard once it has seen its own grant there;
// - it commands and writes only while its session is valid and its view fresh, and every write compares the shard's grant;
// - a user is answered when the event is durable, never before;
// - a worker that has not answered its fence counts with all that was last known of it: absence is never an order.
//
//   Loading ─store read─→ Joining ─session in the store─→ Active ─session lost─→ Joining
//   any ─Leave, and nothing is held─→ Left
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "core/cluster/downing.hpp"
#include "core/cluster/liveness.hpp"
#include "core/cluster/session.hpp"
#include "core/master/events.hpp"
#include "core/master/port_claims.hpp"
#include "core/master/state.hpp"
#include "core/master/store_view.hpp"
#include "core/placement/balance.hpp"
#include "core/placement/index.hpp"

namespace davit::master {

struct Options {
  ClusterId new_cluster;  // the id of the cluster, if the store holds none yet
  std::string session;    // unique to this life of the process
  NodeId self;
  std::string name;
  std::string address;    // of its link
  cluster::DowningPolicy downing;
  std::size_t orders_per_step = 256;  // more are cut into further steps, so that none is long
};

// Who wants to be heard as a node of this cluster.
struct Applicant {
  // Who is connected under the same id already.
  struct Rival {
    std::string name;
    std::string address;
    Duration silent_for{};
    bool is_itself = false;  // the same process, by another of this master's addresses
  };
  NodeId id;
  std::string name;
  ClusterId cluster;    // that it belongs to; zero: none yet
  std::string process;  // a master's: Options::session of it
  std::optional<Rival> rival;
};

enum class Phase : std::uint8_t { Loading, Joining, Active, Left };

class Master {
 public:
  explicit Master(Options options) : options_(std::move(options)), placement_(options_.self.value) {}

  void step(Now now, Event const& event, Actions& actions);
  Monotonic wake_at() const;
  std::vector<std::string> pending() const;

  // Reads, for the API. A service of which exists() is false is not to be shown yet.
  Phase phase() const;
  std::map<std::string, Service> const& services() const { return services_; }
  Service const* find_service(std::string_view name) const;
  std::vector<Node> const& nodes() const { return nodes_; }
  Node const* node(NodeIx ix) const { return ix == kNoNode ? nullptr : &nodes_[static_cast<std::size_t>(ix)]; }
  StoreView const& view() const { return view_; }
  std::uint64_t version() const { return version_; }  // the newest of all services' versions, also after a removal
  std::int64_t store_revision() const { return store_revision_; }
  // What the command would lead to, without doing it: the head after it.
  Result<model::Head> dry_run(model::Command const& command, Wall now) const;
  bool is_coordinator() const;
  // The nodes that are down, by name, whose traces elsewhere this master clears away: none, unless it coordinates and knows.
  std::map<NodeId, std::string> nodes_to_sweep() const;
  // The older service that has this ingress port of the service; null: it is the service's own.
  std::string const* older_claimant(Service const& service, model::PortSpec const& port) const {
    return claims_.older_claimant(service.head.uid, port);
  }
  // Why nodes that are gone are not downed; empty: nothing is held back. Every master can tell.
  std::string const& hold() const { return view_.suspects.record.hold; }
  // How old what this master shows may be, if it is not fresh.
  std::optional<Duration> view_age(Monotonic now) const;
  // Then it is the masters that are cut off, more likely than not.
  bool is_most_unreachable() const { return static_cast<std::int64_t>(unreachable_.size()) * 2 > workers_; }
  // Every worker that is up has told of its instances, or 30 s have passed, and the view is fresh: what is not shown is not there.
  bool is_informed() const;
  bool acts_for(ShardId shard) const;
  // The slots that wait for a node, at most so many; and why.
  std::vector<Unplaced> explain(Service const& service, std::size_t most) const;
  // The nodes as one more instance would see them, the best first.
  std::vector<placement::Verdict> explain_next(Service const& service) const;
  std::string const& process() const { return options_.session; }
  // Whether an agent may connect, and whether another master may. Error: what it is told (no text: it knows); Unavailable: it may try
  // again soon.
  Status admit(Applicant const& applicant) const;
  Status admit_peer(Applicant const& applicant) const;
  // What would balance the nodes, at most so many moves; of services that are as they should be. Carried out by model::Move.
  std::vector<PlannedMove> rebalance(std::size_t most) const;

 private:
  // ---- writes on their way
  struct Append {
    std::string service;
    model::Head head;  // after it
    model::JournalEvent event;
    std::optional<QueuedCommand> command;  // absent: the owner's own decision
  };
  struct Removal {
    std::string service;
    model::GoneRecord gone;
  };
  // This master's own keys, the coordinator's, and its testimony: decided anew when they fail, from what the view shows by then.
  enum class Duty : std::uint8_t { Membership, Coordination, Testimony };
  struct DutyWrite {
    Duty duty = Duty::Membership;
    std::optional<QueuedNodeCommand> command;  // that it carries out
  };
  struct SlotWrite {
    ServiceUid uid;
    std::uint32_t slot = 0;
  };
  // Writes nothing: whether the answer to a command, which its decider has found without a write, is still the right one.
  struct Look {
    std::optional<std::variant<QueuedCommand, QueuedNodeCommand>> asked;  // absent: nobody waits any more
    Result<Applied> answer;
  };
  using PendingWrite = std::variant<Append, Removal, DutyWrite, SlotWrite, Look>;
  struct InFlight {
    PendingWrite what;
    Write write;  // but for a duty sent again, the same, when its outcome is unknown
    bool was_unknown = false;  // one of its tries may be carried out late
    std::optional<Error> was_full;  // what the store said; now only the compares are asked, whether it wrote it all the same
    Monotonic retry_at = kNever;
    Monotonic give_up_at = kNever;  // then whoever waits for it is told that nobody knows; it is sent again all the same
  };
  using InFlights = std::map<OpId, InFlight>;
  struct DutyState {
    bool is_busy = false;  // until the view shows what became of its last write
    Monotonic retry_at{};
  };
  // A write that is done: applied, or refused by one of its compares. What follows is decided once the view has reached the store.
  struct Settling {
    std::int64_t revision = 0;
    PendingWrite what;
    bool was_applied = false;
  };
  // A command that this master cannot carry out, or not yet.
  struct Waiting {
    std::variant<model::Command, model::NodeCommand> command;
    Monotonic try_at{};
    NodeId asked;  // the master that it was forwarded to
  };
  struct Remote {
    NodeId master;
    std::uint64_t id = 0;
  };
  struct Session {
    Session(std::string its_name, std::int64_t its_lease, cluster::SessionClock its_clock, Monotonic now)
        : name(std::move(its_name)),
          lease(its_lease),
          clock(std::move(its_clock)),
          since(now) {}
    std::string name;
    std::int64_t lease = 0;
    cluster::SessionClock clock;
    Monotonic since;
    bool is_ready = false;
  };
  struct Unclaimed {
    NodeId node;
    model::InstanceReport report;
    Monotonic stop_at{};  // when to stop it, if there is no such service, or to say it again
  };
  struct CallSent {
    Monotonic at{};
    std::int64_t lease = 0;
  };

  // session.cpp: the store's view, and this master's place in the cluster
  void on(Started const&);
  void on(Loaded const& event);
  void on(StoreChanged const& event);
  void take_in(StoreBatch const& batch);
  void on(WatchEnded const& event);
  void on(LeaseDone const& event);
  void on(RevisionRead const& event);
  void on(StoreMeasured const& event);
  void on(Leave const&);
  void leave();
  bool has_successor() const;
  bool may_coordinate() const;
  void keep_session();
  void begin_session(std::int64_t lease, Duration ttl, Monotonic sent);
  void end_session();
  void revoke(std::int64_t lease);
  void keep_membership();
  Status check_cluster(ClusterId cluster) const;
  void give_way_to(model::MasterRecord const& other);
  void refuse_remains();
  void keep_ready();
  void resume_commanding();
  bool is_member() const;  // the session stands in the store
  bool may_command() const;
  Monotonic command_until() const;
  bool may_perform(Duty duty) const;
  void perform(Duty duty, Write write, std::optional<QueuedNodeCommand> command = {});
  void on_masters_changed();

  // shards.cpp: what is held, and who has answered for it
  void on_shards(std::vector<ShardId> const& ids);
  void gain(std::bitset<kShards> const& gained);
  void lose(std::bitset<kShards> lost);
  void keep_paths();
  void choose_path(Node& node);
  void keep_fenced(Node& node);
  void count_answers();
  bool may_place_unanswered(ShardId id) const;
  void await_answer(Node& node);
  void touch_path(Node& node) { unsettled_nodes_.insert(index_of(node)); }

  // coordinator.cpp
  void coordinate();
  bool grant_shards();
  bool record_nodes();
  bool judge_nodes();
  bool is_alive(Node const& node) const;
  Compare as_seen(std::string const& key) const;
  void testify();
  bool forget_the_past();
  void compact();
  Compare am_coordinator() const;
  void carry_out(CommandId id, model::NodeCommand const& command);
  bool is_yet_to_be_heard(Node const& node) const;
  bool is_name_taken(NodeId id, std::string const& name, Write const& write) const;
  void on_node_record(NodeId id);
  void on_down(Node& node);

  // peers.cpp: commands for others, and agents out of reach
  void on(CommandArrived const& event);
  void on(NodeCommandArrived const& event);
  void on(PeerJoined const& event);
  void on(FromPeer const& event);
  void on(PeerLeft const& event);
  void on_message(NodeId peer, model::Forward const& message);
  void on_message(NodeId peer, model::ForwardAnswered const& message);
  void on_message(NodeId peer, model::Hears const& message);
  void on_message(NodeId peer, model::Subscribe const& message);
  void on_message(NodeId peer, model::RelayDropped const& message);
  void on_message(NodeId peer, model::RelayToAgent const& message);
  void on_message(NodeId peer, model::RelayFromAgent const& message);
  void wait(CommandId id, std::variant<model::Command, model::NodeCommand> command, Duration delay);
  void give_up(CommandId id, bool is_about_service);
  void advance_waiting();
  void advance(CommandId id, Waiting& waiting);
  NodeId decider(std::variant<model::Command, model::NodeCommand> const& command) const;
  void reply(CommandId id, Result<Applied> outcome);
  void tell_peers_who_is_heard();
  void pass_on(Node const& node, model::ToMaster const& message);

  // commands.cpp: the journal
  void on(WriteDone const& event);
  void carry_out_or_queue(CommandId id, model::Command const& command);
  void carry_out(CommandId id, model::Command const& command);
  void reply_if_so(CommandId id, model::Command const& command, Result<Applied> answer);
  Status check_store(model::EventBody const& body) const;
  Status check_ports(std::string const& name, model::EventBody const& body) const;
  void append(Service& service, model::EventBody body, std::optional<QueuedCommand> command);
  void remove_records(Service& service);
  void on_appended(Append const& append, std::int64_t revision);
  void on_applied(Append const&, std::int64_t) {}
  void on_applied(Removal const& removal, std::int64_t revision);
  void on_applied(Look const& look, std::int64_t revision);
  void on_applied(DutyWrite const& write, std::int64_t revision);
  void on_failed(Append const& append, Error const& error);
  void on_failed(Look const& look, Error const& error);
  void on_failed(Removal const& removal, Error const& error);
  void on_failed(DutyWrite const& write, Error const& error);
  void on_refused(Append const& append);
  void on_refused(Look const& look);
  void on_refused(Removal const& removal);
  void on_refused(DutyWrite const& write);
  void settle();
  void next_command(Service& service);
  void retry_unknown();
  void give_up(Append& append);
  void give_up(Look& look);
  void ask_what_is_written(InFlights::node_type found, Error const& error);
  OpId submit(PendingWrite what, Write write);
  Fence fence_of(Service const& service) const { return {service.shard, shards_[service.shard.value].epoch}; }
  Compare holds_shard(ShardId shard) const;
  std::vector<Compare> is_as_it_was(Service const& service) const;

  // journals.cpp: heads, by one's own writes and by the view
  void take_in_journals(StoreBatch const& batch);
  void on_head(model::Head head, std::int64_t written_at, model::JournalEvent const* event);
  void on_head_erased(std::string const& key, std::int64_t revision);
  void install(Service& service, model::Head head, model::JournalEvent const* event);
  void claim_instances(ServiceUid uid);
  void forget_service(std::string const& name);
  void announce(model::Head const& before, model::Head const& after, model::JournalEvent const& event);

  // agents.cpp: what agents say
  void on(FromAgent const& event);
  void on(AgentLeft const& event);
  void on(DroppedForAgent const& event);
  void on(DroppedForPeer const& event);
  void confirm_again(Node& node);
  void hear(Node& node, model::ToMaster const& message);
  void on_message(Node& node, model::AgentHello const& message);
  void on_message(Node& node, model::FencesStored const& message);
  void on_message(Node& node, model::Verdict const& message);
  void on_message(Node& node, model::InstanceChanged const& message);
  void on_message(Node& node, model::InstanceGone const& message);
  void on_message(Node& node, model::Beat const& message);
  void on_message(Node& node, model::FactsChanged const& message);
  void on_message(Node& node, model::InstancesMeasured const& message);
  void on_message(Node& node, model::FollowDirectory const& message);
  void see_clock(Node& node, model::Beat const& beat);
  void judge_own_clock();
  void welcome(Node const& node);
  void send(Node const& node, model::ToAgent message, Monotonic valid_until);
  void command(Node const& node, model::ToAgent message) { send(node, std::move(message), command_until()); }
  void send_peer(NodeId master, model::PeerMessage message);
  void merge(Node& node, model::InstanceReport const& report);
  void see_serving(Node const& node, Service const& service, Instance& instance, model::InstanceReport const& report) const;
  void learn_detail(Node const& node, model::InstanceReport const& report, model::InstanceState before, service::Detail& detail) const;
  void drop_instances_not_in(Node& node, model::FencesStored const& message);
  void drop_instances_of(Node& node, model::Reason reason);
  std::optional<model::Grant> grant_for(Node const& node, model::Beat const& beat) const;
  void give_up(Service& service, Instance& instance, model::Reason reason);
  bool fails_too_often(Service const& service, Instance const& instance) const;
  bool fits_elsewhere(Service& service, Instance const& instance);
  static std::map<std::uint32_t, std::vector<placement::Refusal>>& avoided_of(Service& service);
  void see_life(Node& node, std::uint64_t life);
  void see_orphan(Node const& node, model::InstanceReport const& report);
  void stop_orphan(Unclaimed& orphan);
  void stop_orphans();
  NodeIx index_of(NodeId id);
  NodeIx index_of(Node const& node) const { return NodeIx(&node - nodes_.data()); }
  Node& node_of(NodeId id) { return nodes_[static_cast<std::size_t>(index_of(id))]; }
  Service* find_by_uid(ServiceUid uid);
  Service const* find_by_uid(ServiceUid uid) const { return const_cast<Master*>(this)->find_by_uid(uid); }

  // slots.cpp: those that must not be doubled
  bool is_guarded(Service const& service, std::uint32_t revision) const;
  Kept<model::SlotRecord> const* record_of(Service const& service, std::uint32_t slot) const;
  bool holds_slot(Service const& service, Instance const& instance) const;
  bool has_slots(Service const& service) const;
  bool may_claim(Service const& service, std::uint32_t slot) const;
  bool may_confirm(Service const& service, Instance const& instance) const;
  void claim_slot(Service& service, Instance& instance);
  void write_slot(Service& service, std::uint32_t slot, std::int64_t mod_revision, Write write);
  void erase_slot(Service& service, Kept<model::SlotRecord> const& kept, std::vector<Compare> compares = {});
  void on_applied(SlotWrite const& write, std::int64_t revision);
  void on_refused(SlotWrite const& write);
  void on_failed(SlotWrite const& write, Error const& error);
  void on_slot_settled(SlotWrite const& write, Duration delay);
  Monotonic keep_slots(Service& service);
  Monotonic keep_slot(Service& service, Kept<model::SlotRecord> const& kept);
  Instance& instance_of(Service& service, model::SlotRecord const& record);
  Monotonic wait_out(Service& service, Kept<model::SlotRecord> const& kept, Node const* node);
  void free_instances(Service& service);
  void disown(Service& service, Instance& instance, model::Reason reason, std::string message);
  void on_refused_offer(Node const& node, Service& service, Instance& instance, model::Verdict const& verdict);
  Monotonic ask_back(Service& service, Instance const& instance);
  void on_slot_gone(Service& service, Instance& instance, model::InstanceGone const& message);

  // reconcile.cpp: from plans to orders
  void on(Tick const&);
  void maintain();
  void measure_store();
  Monotonic next_maintenance() const;
  void reconcile_due();
  void reconcile(Service& service);
  bool may_plan(Service const& service) const;
  Monotonic mark(Service& service);
  void place(Service& service, service::Successor const& wanted);
  Instance new_instance(Service const& service, std::uint32_t slot);
  void confirm(Service& service, Instance& instance);
  void send_stop(Service const& service, Instance const& instance, model::Reason reason);
  void order_stop(Service& service, Instance& instance, model::Reason reason);
  void retry(Service& service);
  void journal_decision(Service& service, std::optional<model::EventBody> decision);
  void count_order() { orders_left_ -= orders_left_ > 0 ? 1 : 0; }
  void plan_at(Service& service, Monotonic at);
  // Where there are many instances not at once after the last plan: that much of what is reported one by one goes into one.
  void plan_soon(Service& service) {
    auto const rest = std::chrono::milliseconds(located_ / kInstancesPerMillisecond);
    plan_at(service, std::max(now_.monotonic, service.planned_at + rest));
  }
  void plan_all_soon() { must_plan_all_ = true; }
  void plan_all();
  std::string lost_ports(Service const& service) const;
  void refresh_statuses();
  std::int64_t count_slots(Service const& service) const;

  // placing.cpp: which node gets an instance
  void see_node(Node const& node);
  void see_load(Node const& node);
  void see_spec(Service& service);
  void see_running(Service& service, Instance& instance);
  void offer(Service& service, Instance& instance);
  bool is_volume_in_use(Service const& service, Instance const& instance) const;
  void explain_missing(Service const& service, std::size_t most, std::vector<Unplaced>& all) const;
  std::vector<std::uint32_t> missing_slots(Service const& service, std::size_t most) const;
  void keep_waiting(Service& service, Instance& instance, placement::Search const& search);
  void send_offer(Service& service, Instance& instance);
  void take_refusal(Node const& node, Service& service, Instance& instance, model::Verdict const& verdict);
  // Of its revision; `own` holds it, where that is not the current one.
  placement::Request const& request_of(Service const& service, Instance const& instance, std::optional<placement::Request>& own) const;
  placement::Search search_for(Service const& service, Instance const& instance, placement::Request const& request) const;
  NodeIx home_of(Service const& service, std::uint32_t slot, placement::Request const& request) const;
  NodeIx only_node_for(Service const& service, std::uint32_t slot, placement::Request const& request) const;
  void account(Service& service, Instance& instance, int sign);
  void see_revisions(Service& service, model::Head const& before);
  void see_home(Service& service, Instance const& instance);
  service::Departure departure_from(Service const& service, std::uint32_t slot) const;

  // stranding.cpp: what a rollout must not stop for now
  struct Promises;
  bool would_fit_in_place_of(Service const& service, Instance const& other, Promises& promises) const;
  bool promise_place_of(Service const& service, Instance const& other, Promises& promises) const;
  bool hold_homeless(Service& service, std::uint32_t slots, std::size_t most, Promises& promises);
  // Whether it is worth stopping the slot's old instance for it. Without one, any other may make room.
  bool would_fit_in_place_of_another(Service const& service, Instance const& instance) const;
  std::optional<NodeIx> find_room(Service const& service, std::uint32_t slot, Promises& promises);
  Promises promise_to_those_between(Service const& service, std::size_t most);
  bool mark_stranded(Service& service);  // whether there is anything to mark

  void see_use(Service& service, Instance& instance, std::optional<model::InstanceUse> use);
  void see_mean(Service& service);

  // balancing.cpp: instances to better nodes
  std::vector<placement::Resident> residents_of(Node const& node) const;
  void begin_moves(Service& service, model::Move const& move);
  void end_moves(Service& service);
  bool is_worth_moving(Service const& service, Instance const& instance, NodeIx to);
  bool may_place_moved(Service& service, std::uint32_t slot);
  bool abandons_move(Service& service, Instance const& successor);

  // directory.cpp: where services are found, told to the agents that follow it here
  struct Follower {
    std::uint64_t turn = 0;  // in which it asked
    bool has_begun = false;  // it was told anything
    std::string told_up_to;  // the last of the services, while it is not told all
  };
  bool knows_directory() const;
  void stop_telling(NodeId id);
  void stop_telling_all();
  void forget_directory();
  void see_directory(std::string const& service);
  void see_ways_to(Node const& node);
  void count_reachable(Node const& node, int sign);
  void tell_directory();
  void tell_changes();
  std::size_t tell_all(NodeId id);
  Monotonic next_telling() const;

  // table.cpp: the instances
  std::vector<Located> instances_on(Node const& node) const;
  void erase(Service& service, Instance const& instance);
  void see_left(Service& service, Instance const& instance);
  void set_node(Service& service, Instance& instance, NodeIx node);
  void set_state(Service& service, Instance& instance, model::InstanceState state, model::Reason reason, std::string message);
  void touch(Service& service);
  void touch_all(std::set<std::string> const& names);
  void changed(Transition transition);
  void changed(Service const& service, Instance const& instance, model::InstanceState before);
  void note(bool is_warning, std::string text);

  Options options_;
  StoreView view_;
  bool is_loaded_ = false;
  bool was_commanding_ = false;  // when it was last looked at
  bool clocks_changed_ = false;  // a node's is off, or right again
  bool is_own_clock_wrong_ = false;  // by most of the nodes' clocks; it has been told
  Monotonic leave_at_ = kNever;  // at the latest
  bool has_left_ = false;
  bool has_said_so_ = false;     // once the store has answered
  bool is_catching_up_ = false;  // what is taken in happened a while ago, and is no news
  std::optional<Session> session_;
  std::uint32_t sessions_ = 0;
  std::array<Shard, kShards> shards_;
  std::bitset<kShards> mine_;
  std::bitset<kShards> answered_by_all_;  // by every worker that is not down
  bool all_were_heard_ = false;           // every worker that is not down, in this session
  bool answers_changed_ = true;
  std::optional<cluster::Liveness> liveness_;  // of this session
  std::optional<Monotonic> viewed_at_;         // nothing that was written before is missing in the view
  Monotonic coordinator_lost_at_ = kNever;     // since when nobody coordinates
  std::optional<cluster::Downing> judge_;      // while this master coordinates
  Monotonic judge_at_ = kNever;
  std::vector<Node> nodes_;
  placement::Index placement_;
  std::map<NodeId, NodeIx> node_ix_;
  std::set<NodeIx> unsettled_nodes_;  // whose path or fence may have to change
  std::set<std::pair<Monotonic, NodeIx>> fences_due_;  // when to look at a node again, at the latest
  std::set<NodeId> peers_;            // masters that are connected
  std::map<std::string, Service> services_;
  PortClaims claims_;
  std::map<ServiceUid, std::string> names_;
  std::map<std::pair<ServiceUid, InstanceId>, Unclaimed> unclaimed_;  // reported, of services that the view does not show (yet)

  InFlights in_flight_;
  std::map<OpId, CallSent> lease_calls_;
  std::map<OpId, CallSent> reads_;
  std::set<OpId> revocations_;  // each is answered by its deadline
  std::vector<Settling> settling_;
  std::array<DutyState, 3> duties_;
  std::map<CommandId, Waiting> waiting_;
  std::int64_t located_ = 0;  // instances that have a node
  std::map<CommandId, Monotonic> give_up_at_;  // commands that had to wait, until they are answered
  std::map<CommandId, Remote> remote_;
  std::set<std::pair<Monotonic, std::string>> plans_;  // services by plan_at
  std::set<std::string> touched_;                      // status to be derived anew at the next tick
  std::string refreshed_;                              // the last of them whose status was
  std::vector<model::MasterAddress> addresses_;        // of the masters that live
  bool has_refused_remains_ = false;
  std::string rival_;  // the session of another process that is this master, and was told of
  std::map<NodeId, Follower> followers_;
  std::set<std::pair<std::uint64_t, NodeId>> untold_;  // of them, by turns: not told all yet
  std::uint64_t turns_ = 0;
  model::Directory directory_;           // as they know it, or are about to; kept while there are any
  std::set<std::string> directory_due_;  // services to be looked at
  std::string told_last_;                // the last of them that was
  bool are_nodes_due_ = false;
  Monotonic tell_at_{};
  Monotonic informed_at_{};
  std::int64_t workers_ = 0;      // recorded, and not down
  std::set<NodeIx> unreachable_;  // of them
  bool were_most_unreachable_ = false;
  std::optional<Error> store_error_;                   // why this master cannot join
  Monotonic lease_retry_at_{};
  Monotonic load_retry_at_ = kNever;
  Monotonic next_tick_{};
  Monotonic next_compaction_ = kNever;
  Monotonic next_store_measure_ = Monotonic::min();
  StoreMeasured store_size_;
  std::int64_t compact_before_ = 0;
  bool heard_changed_ = false;     // who is connected here, which peers want to know
  bool is_following_ = false;      // the watch goes on from what was read
  bool must_plan_all_ = false;     // at the next tick
  Monotonic maintained_at_ = Monotonic::min();
  bool maintenance_due_ = true;    // something happened that maintain() may have to answer
  bool coordination_due_ = false;  // the same, for the coordinator's part, until it has found nothing more to do
  std::int64_t store_revision_ = 0;
  std::uint64_t version_ = 1;
  std::uint64_t next_op_ = 1;
  std::uint64_t next_round_ = 1;
  std::uint64_t next_instance_ = 1;
  std::uint64_t next_tag_ = 1;
  std::uint64_t next_request_ = 1;
  CommandId next_remote_ = kRemoteCommands;
  std::size_t slot_writes_ = 0;  // on their way
  std::size_t orders_left_ = 0;  // in this step

  static constexpr Duration kOfferRetry = std::chrono::seconds(5);  // an offer without an answer is said again
  static constexpr Duration kPendingRetry = std::chrono::seconds(2);  // a node is looked for again
  static constexpr Duration kStopRetry = std::chrono::seconds(30);  // and so is a stop
  static constexpr std::int64_t kInstancesPerMillisecond = 500;  // that plans look at, and others have time between
  static constexpr CommandId kRemoteCommands = CommandId{1} << 63;

  // Of the step in progress.
  Now now_{};
  Actions* out_ = nullptr;
};

}  // namespace davit::master
