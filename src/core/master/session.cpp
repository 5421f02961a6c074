// The store's view and this master's place in the cluster: read, follow, hold a lease, stand in the list of masters.
#include <algorithm>

#include <fmt/core.h>

#include "base/check.hpp"
#include "base/planted.hpp"
#include "core/cluster/readiness.hpp"
#include "core/master/master.hpp"

namespace davit::master {
namespace {

constexpr Duration kRetry = 500ms;
constexpr Duration kLoadRetry = 1s;
constexpr Duration kLeaveLimit = 5s;
constexpr Duration kRevokeLimit = 2s;  // the lease ends by itself a second later
constexpr Duration kElectAnyone = 3s;  // rather a coordinator that was paused than none

}  // namespace

// ---- the view

void Master::on(Started const&) {
  is_following_ = false;
  out_->push_back(Load{});
}

void Master::on(Loaded const& event) {
  auto const usable = event.outcome ? check_complete(*event.outcome) : std::unexpected(event.outcome.error());
  if (!usable) {
    note(true, fmt::format("the store cannot be read: {}; trying again", usable.error().message));
    load_retry_at_ = now_.monotonic + kLoadRetry;
    return;
  }
  auto const& batch = *event.outcome;
  // What the store does not hold any more is gone; the rest comes as if it had just been written.
  std::set<std::string> keys;
  for (auto const& change : batch.changes) keys.insert(change.key);
  StoreBatch vanished{.revision = view_.revision};
  auto const drop = [&](std::string key) {
    if (!keys.contains(key)) vanished.changes.push_back({.key = std::move(key), .mod_revision = batch.revision});
  };
  for (auto const& [id, kept] : view_.masters) drop(model::master_key(id));
  for (auto const& [id, kept] : view_.nodes) drop(model::node_key(id));
  for (auto const& [id, kept] : view_.seen) drop(model::seen_key(id));
  for (auto const& [name, gone] : view_.gone) drop(model::gone_key(name));
  for (auto const& [name, slots] : view_.slots) {
    for (auto const& [slot, kept] : slots) drop(model::slot_key(name, slot));
  }
  for (auto const& [name, service] : services_) {
    if (service.exists()) drop(model::head_key(name));
  }
  if (view_.coordinator.mod_revision != 0) drop(model::coordinator_key());
  if (view_.suspects.mod_revision != 0) drop(model::suspects_key());
  is_loaded_ = true;
  is_catching_up_ = true;
  take_in(vanished);
  take_in(batch);
  is_catching_up_ = false;
  is_following_ = true;
  out_->push_back(Follow{batch.revision + 1});
}

void Master::on(WatchEnded const& event) {
  note(true, fmt::format("the store can be followed no further: {}; reading everything again", event.why));
  on(Started{});
}

// What follows a gap is read with everything else.
void Master::on(StoreChanged const& event) {
  if (is_following_) take_in(event.batch);
}

void Master::take_in(StoreBatch const& batch) {
  std::vector<ShardId> shards;
  std::vector<NodeId> nodes;
  for (auto const& change : batch.changes) {
    view_.apply(change);
    if (auto const node = StoreView::node_of(change.key)) nodes.push_back(*node);
    auto const* shard = change.record ? std::get_if<model::ShardRecord>(&*change.record) : nullptr;
    if (shard) shards.push_back(shard->shard);
  }
  if (view_.coordinator.mod_revision != 0) coordinator_lost_at_ = kNever;
  else coordinator_lost_at_ = std::min(coordinator_lost_at_, now_.monotonic);
  view_.revision = std::max(view_.revision, batch.revision);
  store_revision_ = std::max(store_revision_, view_.revision);
  take_in_journals(batch);
  for (auto const id : nodes) on_node_record(id);
  on_shards(shards);
  if (session_) session_->clock.on_watched(view_.revision);
  on_masters_changed();
  settle();
  maintenance_due_ = true;
}

void Master::on_masters_changed() {
  std::vector<model::MasterAddress> all;
  std::vector<model::MasterAddress> others;
  for (auto const& [id, kept] : view_.masters) {
    all.push_back({id, kept.record.address});
    if (id != options_.self) others.push_back({id, kept.record.address});
  }
  if (all == addresses_) return;
  addresses_ = std::move(all);
  out_->push_back(KeepPeers{std::move(others)});
  for (auto const& node : nodes_) {
    if (node.is_connected) welcome(node);
  }
}

// ---- the session

void Master::keep_session() {
  if (has_left_) return;
  auto const now = now_.monotonic;
  if (session_ && session_->clock.must_give_up(now)) {
    note(true, fmt::format("session {} is over: {}; joining again", session_->name,
                           session_->clock.is_lost() ? "its lease has ended" : "its view of the store stands still"));
    end_session();
  }
  if (!session_) {
    if (!is_loaded_ || !lease_calls_.empty() || lease_retry_at_ > now) return;
    auto const op = next_op_++;
    lease_calls_[op] = {.at = now};
    out_->push_back(GrantLease{op, cluster::kLeaseTtl});
    return;
  }
  auto& clock = session_->clock;
  if (clock.next_renewal_at() <= now) {
    auto const op = next_op_++;
    lease_calls_[op] = {.at = now, .lease = session_->lease};
    clock.on_renewal_sent(now);
    out_->push_back(RenewLease{op, session_->lease, now + cluster::kRenewalDeadline});
  }
  if (clock.next_read_at() <= now) {
    auto const op = next_op_++;
    reads_[op] = {.at = now, .lease = session_->lease};
    clock.on_read_sent(now);
    out_->push_back(ReadRevision{op, now + cluster::kReadInterval});
  }
}

void Master::on(LeaseDone const& event) {
  if (revocations_.erase(event.op) > 0) {
    maintenance_due_ = true;
    return;
  }
  auto const call = lease_calls_.extract(event.op);
  CHECK(!call.empty(), "lease call {} was not made", event.op);
  auto const [sent, lease] = call.mapped();
  maintenance_due_ = true;
  if (lease == 0) {  // a new one was asked for
    if (!event.outcome) {
      store_error_ = event.outcome.error();
      note(true, fmt::format("the store grants no lease: {}; trying again", event.outcome.error().message));
      lease_retry_at_ = now_.monotonic + kRetry;
    } else if (has_left_) {
      revoke(event.outcome->lease);
    } else if (!session_) {
      begin_session(event.outcome->lease, event.outcome->ttl, sent);
    }
    return;
  }
  if (!session_ || session_->lease != lease) return;  // of an earlier session
  if (event.outcome) session_->clock.on_renewed(planted(Bug::TimesFromArrival) ? now_.monotonic : sent, event.outcome->ttl);
  else if (event.outcome.error().code == Code::NotFound) session_->clock.on_lease_lost();
  else session_->clock.on_renewal_failed(now_.monotonic);
}

void Master::on(RevisionRead const& event) {
  auto const call = reads_.extract(event.op);
  CHECK(!call.empty(), "read {} was not asked for", event.op);
  if (!session_ || session_->lease != call.mapped().lease) return;
  if (event.outcome) {
    session_->clock.on_watched(view_.revision);
    session_->clock.on_read(planted(Bug::TimesFromArrival) ? now_.monotonic : call.mapped().at, *event.outcome);
    if (session_->clock.view_from()) viewed_at_ = session_->clock.view_from();
  } else {
    session_->clock.on_read_failed(now_.monotonic);
  }
  maintenance_due_ = true;
}

void Master::begin_session(std::int64_t lease, Duration ttl, Monotonic sent) {
  session_.emplace(fmt::format("{}.{}", options_.session, ++sessions_), lease, cluster::SessionClock(sent, ttl), now_.monotonic);
  session_->clock.on_watched(view_.revision);
  liveness_.emplace(now_.monotonic);
  for (auto& node : nodes_) {
    node.was_heard = false;
    if (node.is_recorded && node.is_worker()) liveness_->expect({node.record.id, node.record.incarnation}, now_.monotonic);
    if (node.is_connected) liveness_->connected(node.record.id, node.record.incarnation, now_.monotonic);
  }
  answers_changed_ = true;
}

void Master::revoke(std::int64_t lease) {
  auto const op = next_op_++;
  revocations_.insert(op);
  out_->push_back(RevokeLease{op, lease, now_.monotonic + kRevokeLimit});
}

// It owns nothing from now on; what it knows of the world stays.
void Master::end_session() {
  revoke(session_->lease);
  session_.reset();
  liveness_.reset();
  for (auto& node : nodes_) {
    if (node.fence_at != kNever) touch_path(node);  // nobody tells any more whether it is heard
  }
  lose(mine_);
  lease_retry_at_ = now_.monotonic;
}

// What could not be said meanwhile is said now.
void Master::resume_commanding() {
  bool const was_commanding = std::exchange(was_commanding_, may_command());
  if (was_commanding || !was_commanding_) return;
  for (auto& node : nodes_) {
    if (node.path.kind == Path::Kind::None || node.is_fenced) continue;
    node.fence_at = now_.monotonic;
    touch_path(node);
  }
  plan_all_soon();
}

bool Master::may_command() const {
  if (!session_ || !is_member()) return false;
  return session_->clock.may_command(now_.monotonic) || (planted(Bug::ActsUnfresh) && session_->clock.is_valid(now_.monotonic));
}

Monotonic Master::command_until() const {
  if (!may_command()) return Monotonic::min();
  if (planted(Bug::ActsUnfresh)) return session_->clock.valid_until();
  return std::min(session_->clock.valid_until(), session_->clock.fresh_until());
}

bool Master::is_member() const {
  if (!session_) return false;
  auto const own = view_.masters.find(options_.self);
  return own != view_.masters.end() && own->second.record.session == session_->name;
}

bool Master::is_informed() const { return may_command() && session_->is_ready; }

std::optional<Duration> Master::view_age(Monotonic now) const {
  if (!viewed_at_ || now <= *viewed_at_ + cluster::kFreshFor) return std::nullopt;
  return now - *viewed_at_;
}

// ---- leaving

void Master::on(Leave const&) {
  leave_at_ = std::min(leave_at_, now_.monotonic + kLeaveLimit);
  maintenance_due_ = true;
}

// Its shards are granted to others one transaction after the other; each is without an owner for as long as a takeover takes. A process
// that went before its session has ended would leave its keys for three seconds: with the last of the masters, for the next one to wait.
void Master::leave() {
  bool const may_wait = is_member() && has_successor() && now_.monotonic < leave_at_;
  if (!has_left_ && may_wait && mine_.any()) return;
  if (!std::exchange(has_left_, true) && session_) end_session();
  if (revocations_.empty() && !std::exchange(has_said_so_, true)) out_->push_back(Left{});
}

bool Master::has_successor() const {
  return std::ranges::any_of(view_.masters, [&](auto const& each) {
    return each.first != options_.self && each.second.record.is_ready && !each.second.record.is_leaving;
  });
}

// Who was paused again and again takes nodes for heard that are not: another one judges better, if there is one.
bool Master::may_coordinate() const {
  if (leave_at_ != kNever) return !has_successor();
  if (liveness_->counts_as_witness(now_.monotonic) || view_.masters.size() == 1) return true;
  if (!is_coordinator()) return coordinator_lost_at_ != kNever && now_.monotonic >= coordinator_lost_at_ + kElectAnyone;
  return std::ranges::none_of(view_.masters, [&](auto const& each) {
    auto const seen = view_.seen.find(each.first);
    return each.first != options_.self && (seen == view_.seen.end() || seen->second.record.counts);
  });
}

Phase Master::phase() const {
  if (has_left_) return Phase::Left;
  if (!is_loaded_) return Phase::Loading;
  return is_member() ? Phase::Active : Phase::Joining;
}

// ---- its keys

bool Master::may_perform(Duty duty) const {
  auto const& state = duties_[static_cast<std::size_t>(duty)];
  return session_ && session_->clock.is_valid(now_.monotonic) && !state.is_busy && state.retry_at <= now_.monotonic;
}

void Master::perform(Duty duty, Write write, std::optional<QueuedNodeCommand> command) {
  duties_[static_cast<std::size_t>(duty)].is_busy = true;
  submit(DutyWrite{duty, std::move(command)}, std::move(write));
}

// Another process lives, or its lease has not ended yet, with this master's id elsewhere.
void Master::give_way_to(model::MasterRecord const& other) {
  if (std::exchange(rival_, other.session) == other.session) return;
  store_error_ =
      Error{Code::Unavailable,
            fmt::format("another process is master {} ({}) at {}, or was seconds ago", other.name, to_string(other.id), other.address),
            {}};
  note(true,
       fmt::format("{}; waiting until its lease ends. If it lives, then one data directory is a copy of the other's, and belongs to one "
                   "master only: give the copy an empty --data-dir and a --node name of its own",
                   store_error_->message));
}

// A cluster's own key is written first where it begins, and last where it is copied to.
void Master::refuse_remains() {
  if (std::exchange(has_refused_remains_, true)) return;
  store_error_ = Error{Code::Unavailable, "the store holds parts of a cluster, and not the whole: a copy into it was not completed", {}};
  note(true, fmt::format("{}. Let davit store copy come to its end, or repeat it; this master waits", store_error_->message));
}

// The key of an earlier session of its own has to go first: the create revision tells sessions apart. It is its own if it has this
// address: there only one process listens.
void Master::keep_membership() {
  if (!may_perform(Duty::Membership)) return;
  if (view_.cluster.mod_revision == 0) {
    if (!services_.empty() || !view_.nodes.empty()) return refuse_remains();
    return perform(Duty::Membership, {.compares = {{model::cluster_key(), Compare::Target::Version, 0}},
                                      .puts = {model::ClusterRecord{.uid = options_.new_cluster}}});
  }
  auto const key = model::master_key(options_.self);
  auto const own = view_.masters.find(options_.self);
  if (own == view_.masters.end()) {
    if (!session_->clock.is_fresh(now_.monotonic)) return;  // until then others would wait in vain for its testimony
    return perform(
        Duty::Membership,
        {.compares = {{key, Compare::Target::Version, 0}},
         .puts = {model::MasterRecord{.id = options_.self, .session = session_->name, .name = options_.name, .address = options_.address}},
         .lease = session_->lease});
  }
  if (own->second.record.session != session_->name) {
    if (own->second.record.address != options_.address) return give_way_to(own->second.record);
    return perform(Duty::Membership, {.compares = {{key, Compare::Target::ModRevision, own->second.mod_revision}}, .erases = {key}});
  }
  auto const& coordinator = view_.coordinator;
  bool const is_of_my_past = coordinator.record.master == options_.self && coordinator.record.session != session_->name;
  bool const must_resign = is_coordinator() && leave_at_ == kNever && !may_coordinate();
  if (coordinator.mod_revision != 0 && (is_of_my_past || must_resign)) {
    return perform(Duty::Membership, {.compares = {{model::coordinator_key(), Compare::Target::ModRevision, coordinator.mod_revision}},
                                      .erases = {model::coordinator_key()}});
  }
  if (coordinator.mod_revision == 0 && may_command() && may_coordinate()) {
    return perform(Duty::Membership, {.compares = {{model::coordinator_key(), Compare::Target::Version, 0},
                                                   {key, Compare::Target::CreateRevision, own->second.create_revision}},
                                      .puts = {model::CoordinatorRecord{options_.self, session_->name}},
                                      .lease = session_->lease});
  }
  keep_ready();
}

void Master::keep_ready() {
  auto const& own = view_.masters.at(options_.self);
  auto const write = [&](model::MasterRecord record) {
    perform(Duty::Membership, {.compares = {{model::master_key(options_.self), Compare::Target::ModRevision, own.mod_revision}},
                               .puts = {std::move(record)},
                               .lease = session_->lease});
  };
  auto record = own.record;
  if (leave_at_ != kNever) {
    record.is_leaving = true;
    if (!own.record.is_leaving) write(std::move(record));
    return;
  }
  bool const have_all_reported = std::ranges::all_of(nodes_, [](Node const& node) {
    bool const is_awaited = node.is_recorded && node.is_worker() && node.record.status == model::NodeStatus::Up;
    return !is_awaited || node.has_reported;
  });
  session_->is_ready =
      cluster::is_ready(session_->is_ready, session_->clock.is_fresh(now_.monotonic), have_all_reported, session_->since, now_.monotonic);
  if (!session_->is_ready || own.record.is_ready) return;
  record.is_ready = true;
  write(std::move(record));
}

}  // namespace davit::master
