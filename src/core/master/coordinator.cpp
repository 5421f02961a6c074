// What the one master does that is elected for it: assign shards, record nodes and judge whether they live (protocol.md §4, §6);
// and what every master testifies to it.
#include <algorithm>

#include <fmt/core.h>

#include "base/planted.hpp"
#include "core/cluster/allocation.hpp"
#include "core/cluster/witness.hpp"
#include "core/master/master.hpp"

namespace davit::master {
namespace {

constexpr std::size_t kMostPerWrite = 64;  // etcd takes 128 operations in one transaction
constexpr Duration kCompactEvery = 10min;
constexpr Duration kLongestHearing = 8s;  // who asks waits for ten

}  // namespace

bool Master::is_coordinator() const {
  return session_ && view_.coordinator.mod_revision != 0 && view_.coordinator.record.session == session_->name;
}

Compare Master::am_coordinator() const {
  return {model::coordinator_key(), Compare::Target::CreateRevision, view_.coordinator.create_revision};
}

// One write at a time, each on a view that shows the last.
void Master::coordinate() {
  if (!is_coordinator() || !may_command()) {
    judge_.reset();
    judge_at_ = kNever;
    coordination_due_ = false;
    return;
  }
  if (!judge_) judge_.emplace(now_.monotonic);
  if (!may_perform(Duty::Coordination)) return;
  if (grant_shards() || record_nodes() || judge_nodes() || forget_the_past()) return;
  compact();
  coordination_due_ = false;
}

bool Master::grant_shards() {
  std::array<std::string, kShards> owners;
  for (std::size_t i = 0; i < kShards; ++i) owners[i] = view_.shards[i].record.session;
  std::vector<cluster::Candidate> live;
  bool const is_any_staying = std::ranges::any_of(view_.masters, [](auto const& each) { return !each.second.record.is_leaving; });
  for (auto const& [id, kept] : view_.masters) {
    if (!kept.record.is_leaving || !is_any_staying) live.push_back({kept.record.session, kept.record.is_ready});
  }
  auto const grants = cluster::allocate(owners, live);
  if (grants.empty()) return false;
  Write write{.compares = {am_coordinator()}};
  std::set<std::string> receivers;
  for (auto const& grant : grants) {
    if (write.puts.size() == kMostPerWrite) break;
    auto const key = model::shard_key(grant.shard);
    write.compares.push_back({key, Compare::Target::ModRevision, view_.shards[grant.shard.value].mod_revision});
    write.puts.push_back(model::ShardRecord{grant.shard, grant.session});
    receivers.insert(grant.session);
  }
  for (auto const& session : receivers) {
    auto const* master = view_.master_of(session);
    write.compares.push_back({model::master_key(master->record.id), Compare::Target::CreateRevision, master->create_revision});
  }
  if (planted(Bug::GrantsWithoutCompares)) write.compares.clear();
  perform(Duty::Coordination, std::move(write));
  return true;
}

// A node that comes, one that is called otherwise than before, and one that comes back from being down, or after it was removed: as its
// next life, once it has told of all that it has. The connection of one that was removed may be a dead one that nobody has closed yet.
bool Master::record_nodes() {
  Write write{.compares = {am_coordinator()}};
  for (auto const& [id, ix] : node_ix_) {
    auto& node = nodes_[static_cast<std::size_t>(ix)];
    bool const is_there = node.is_connected || node.path.kind == Path::Kind::Relayed;
    if (!node.is_recorded && (!node.known_life || (node.was_forgotten && !node.has_reported))) continue;
    if (!is_there || node.facts.name.empty() || write.puts.size() == kMostPerWrite) continue;
    bool const is_back = node.is_down() && node.has_reported && is_alive(node);
    bool const is_as_recorded = node.is_recorded && node.record.name == node.facts.name && node.record.roles == node.facts.roles;
    if (is_as_recorded && !is_back) continue;
    if (is_name_taken(id, node.facts.name, write)) {
      if (!std::exchange(node.is_told_of_name, true))
        note(true, fmt::format("node {} at {} wants the name {}, which another one has: give it another --node name", to_string(id),
                               node.facts.address, node.facts.name));
      continue;
    }
    node.is_told_of_name = false;
    auto record = node.record;
    record.name = node.facts.name;
    record.roles = node.facts.roles;
    if (!node.is_recorded) record.incarnation = *node.known_life + 1;
    if (is_back) record.status = model::NodeStatus::Up, ++record.incarnation;
    auto const kept = view_.nodes.find(id);
    write.compares.push_back(
        {model::node_key(id), Compare::Target::ModRevision, kept == view_.nodes.end() ? 0 : kept->second.mod_revision});
    write.puts.push_back(std::move(record));
  }
  if (write.puts.empty()) return false;
  perform(Duty::Coordination, std::move(write));
  return true;
}

// By one that is recorded and not down, or is about to be by this write.
bool Master::is_name_taken(NodeId id, std::string const& name, Write const& write) const {
  bool const is_recorded = std::ranges::any_of(view_.nodes, [&](auto const& each) {
    auto const& record = each.second.record;
    return record.id != id && record.name == name && record.status != model::NodeStatus::Down;
  });
  return is_recorded || std::ranges::any_of(write.puts, [&](model::Record const& put) {
           auto const* record = std::get_if<model::NodeRecord>(&put);
           return record && record->name == name;
         });
}

// As far as this master can tell: it hears the node, another one has testified in the present round that it does, or it reaches the
// node through another one while nobody suspects it.
bool Master::is_alive(Node const& node) const {
  if (liveness_->hearing(node.record.id, now_.monotonic) == cluster::Hearing::Heard) return true;
  model::NodeLife const life{node.record.id, node.record.incarnation};
  bool const is_heard_elsewhere = std::ranges::any_of(view_.seen, [&](auto const& each) {
    auto const& seen = each.second.record;
    bool const counts = seen.counts && seen.round == view_.suspects.record.round && view_.master_of(seen.session);
    return counts && std::ranges::binary_search(seen.heard, life);
  });
  if (is_heard_elsewhere) return true;
  return node.path.kind == Path::Kind::Relayed && node.has_reported && node.record.status != model::NodeStatus::Unreachable;
}

bool Master::judge_nodes() {
  std::vector<cluster::Worker> workers;
  workers.reserve(view_.nodes.size());
  auto known = node_ix_.begin();  // in the same order, and more
  for (auto const& [id, kept] : view_.nodes) {
    while (known->first != id) ++known;
    auto const& node = nodes_[static_cast<std::size_t>(known->second)];
    if (!node.is_worker()) continue;
    auto const downed_at = node.downed_at == kNever ? std::nullopt : std::optional(node.downed_at);
    workers.push_back(cluster::worker_of(kept.record, downed_at, *liveness_, now_.monotonic));
  }
  std::vector<cluster::LiveMaster> masters;
  for (auto const& [id, kept] : view_.masters) masters.push_back({id, kept.record.session});
  std::vector<model::SeenRecord> seen;
  for (auto const& [id, kept] : view_.seen) seen.push_back(kept.record);
  auto const verdict = judge_->judge({.now = now_.monotonic,
                                      .self = options_.self,
                                      .policy = options_.downing,
                                      .interval = liveness_->interval(),
                                      .workers = workers,
                                      .masters = masters,
                                      .suspects = view_.suspects.record,
                                      .seen = seen});
  if (!verdict.hold.empty() && hold() != verdict.hold) note(true, verdict.hold);
  judge_at_ = verdict.wake_at;
  if (!verdict.has_writes()) return false;
  Write write{.compares = {am_coordinator()}};
  for (auto const& key : verdict.compares) write.compares.push_back(as_seen(key));
  for (auto const& mark : verdict.marks) {
    auto const& kept = view_.nodes.at(mark.life.node);
    auto record = kept.record;
    record.status = mark.to;
    write.compares.push_back({model::node_key(record.id), Compare::Target::ModRevision, kept.mod_revision});
    write.puts.push_back(std::move(record));
  }
  if (verdict.suspects) write.puts.push_back(*verdict.suspects);
  perform(Duty::Coordination, std::move(write));
  return true;
}

// A key of the situation that was judged: as it stands in the view, or absent.
Compare Master::as_seen(std::string const& key) const {
  if (key == model::suspects_key()) return {key, Compare::Target::ModRevision, view_.suspects.mod_revision};
  for (auto const& [id, kept] : view_.seen) {
    if (model::seen_key(id) == key) return {key, Compare::Target::ModRevision, kept.mod_revision};
  }
  return {key, Compare::Target::ModRevision, 0};
}

// Every master's own answer to the suspicion.
void Master::testify() {
  if (!is_member() || !may_perform(Duty::Testimony)) return;
  auto const kept = view_.seen.find(options_.self);
  auto const* written = kept == view_.seen.end() ? nullptr : &kept->second.record;
  auto answer = cluster::answer_due(written, view_.suspects.record, *liveness_, options_.self, session_->name, now_.monotonic);
  if (!answer) return;
  auto const& own = view_.masters.at(options_.self);
  perform(Duty::Testimony, {.compares = {{model::master_key(options_.self), Compare::Target::CreateRevision, own.create_revision}},
                            .puts = {*std::move(answer)}});
}

// What was left of removed services has been kept long enough for every retry; what a dead master testified counts no more.
bool Master::forget_the_past() {
  Write write{.compares = {am_coordinator()}};
  for (auto const& [master, kept] : view_.seen) {
    if (view_.masters.contains(master) || write.erases.size() == kMostPerWrite / 2) continue;
    write.compares.push_back({model::seen_key(master), Compare::Target::ModRevision, kept.mod_revision});
    write.erases.push_back(model::seen_key(master));
  }
  for (auto const& [service, kept] : view_.gone) {
    bool const is_old = kept.record.at + model::kRequestsKeptFor < now_.wall && !services_.contains(service);
    if (!is_old || write.erases.size() == kMostPerWrite / 2) continue;
    write.compares.push_back({model::gone_key(service), Compare::Target::ModRevision, kept.mod_revision});
    write.erases.push_back(model::gone_key(service));
  }
  if (write.erases.empty()) return false;
  perform(Duty::Coordination, std::move(write));
  return true;
}

void Master::compact() {
  if (next_compaction_ != kNever && next_compaction_ > now_.monotonic) return;
  if (compact_before_ > 0) out_->push_back(Compact{compact_before_});
  compact_before_ = view_.revision;
  next_compaction_ = now_.monotonic + kCompactEvery;
}

// ---- by hand

namespace {

// The node's record as the command wants it; absent: the node is to go. Code::Invalid: the node's state does not allow it.
Result<std::optional<model::NodeRecord>> carried_out(model::NodeCommand const& command, model::NodeRecord record, bool is_alive) {
  if (command.mark_down && is_alive) {
    return fail(Code::Invalid, fmt::format("node {0} answers, so it is not down: davit node drain {0} empties it", record.name),
                std::string(model::kNodeField));
  }
  if (command.forget && (is_alive || record.status != model::NodeStatus::Down)) {
    return fail(Code::Invalid,
                fmt::format("node {} {}; only one that is down can be removed: stop Davit on it first", record.name,
                            is_alive ? "answers" : fmt::format("is {}", model::to_string(record.status))),
                std::string(model::kNodeField));
  }
  if (command.forget) return std::nullopt;
  for (auto const& [label, value] : command.labels) {
    if (value) record.labels[label] = *value;
    else record.labels.erase(label);
  }
  if (command.availability) record.availability = *command.availability;
  if (command.mark_down) record.status = model::NodeStatus::Down;
  return record;
}

}  // namespace

void Master::carry_out(CommandId id, model::NodeCommand const& command) {
  auto const kept = view_.nodes.find(command.node);
  bool const is_known = kept != view_.nodes.end();
  auto const key = model::node_key(command.node);
  Write write{.compares = {am_coordinator(), {key, Compare::Target::ModRevision, is_known ? kept->second.mod_revision : 0}}};
  // As for a service: the store has to say that it is still so.
  auto const reply_if_so = [&](Result<Applied> answer) {
    submit(Look{QueuedNodeCommand{id, command}, std::move(answer)}, std::move(write));
  };
  if (!is_known)
    return reply_if_so(fail(Code::NotFound, fmt::format("there is no node {}", to_string(command.node)), std::string(model::kNodeField)));
  if (!may_perform(Duty::Coordination)) return wait(id, command, 50ms);
  auto const& node = node_of(command.node);
  bool const is_about_life = command.mark_down || command.forget;
  if (is_about_life && is_yet_to_be_heard(node)) return wait(id, command, 200ms);
  auto const wanted = carried_out(command, kept->second.record, is_alive(node));
  if (!wanted) return reply_if_so(std::unexpected(wanted.error()));
  if (*wanted == kept->second.record) return reply_if_so(Applied{.store_revision = store_revision_, .unchanged = true});
  if (command.mark_down) {  // another master may testify meanwhile that it hears the node
    for (auto const& [master, seen] : view_.masters) write.compares.push_back(as_seen(model::seen_key(master)));
  }
  if (*wanted) write.puts.push_back(**wanted);
  else write.erases.push_back(key);
  perform(Duty::Coordination, std::move(write), QueuedNodeCommand{id, command});
}

// In the first seconds of a session nobody is heard yet who is connected: then that it is not says nothing.
bool Master::is_yet_to_be_heard(Node const& node) const {
  auto const sight = liveness_->look({node.record.id, node.record.incarnation}, now_.monotonic);
  bool const may_be = node.is_connected || node.path.kind != Path::Kind::None;
  return may_be && sight.hearing == cluster::Hearing::Unknown &&
         now_.monotonic < sight.waiting_since + std::min<Duration>(cluster::hears_within(liveness_->interval()), kLongestHearing);
}

// ---- what the store says of nodes

std::map<NodeId, std::string> Master::nodes_to_sweep() const {
  std::map<NodeId, std::string> nodes;
  if (!is_coordinator() || !is_informed()) return nodes;
  for (auto const& [id, kept] : view_.nodes) {
    if (kept.record.status == model::NodeStatus::Down) nodes.emplace(id, kept.record.name);
  }
  return nodes;
}

void Master::on_node_record(NodeId id) {
  auto& node = node_of(id);
  auto const kept = view_.nodes.find(id);
  auto const before = node.record;
  bool const was_down = node.is_down();
  count_reachable(node, -1);
  node.is_recorded = kept != view_.nodes.end();
  if (node.is_recorded) node.record = kept->second.record;
  else node.record = {.id = id, .incarnation = 0};
  if (node.is_recorded) see_life(node, node.record.incarnation);
  node.was_forgotten = !node.is_recorded && (node.was_forgotten || before.incarnation != 0);
  count_reachable(node, +1);
  if (node.facts.name.empty()) node.facts.name = node.record.name, node.facts.roles = node.record.roles;
  answers_changed_ = true;
  touch_path(node);
  see_node(node);
  if (liveness_) {
    if (!node.is_recorded) {
      liveness_->forget(id);
      if (node.is_connected) liveness_->connected(id, 0, now_.monotonic);  // it may yet be heard over the same connection, and come back
    } else if (node.is_worker()) {
      liveness_->expect({id, node.record.incarnation}, now_.monotonic);
    }
  }
  bool const is_down = !node.is_recorded || node.is_down();
  // Down as it was, and yet a whole life may have passed between the two without a sight of it: what was given to that ends later.
  bool const may_have_lived = node.is_recorded ? before.incarnation != node.record.incarnation : is_catching_up_;
  if (is_down && (!was_down || may_have_lived)) on_down(node);
  else if (!node.is_recorded) await_answer(node);
  if (before.status != node.record.status || before.name != node.record.name) see_ways_to(node);
  if (before.incarnation != node.record.incarnation && node.is_recorded) {
    await_answer(node);
    if (node.is_connected) welcome(node);
  }
  if (before.status != node.record.status && node.is_recorded && before.incarnation != 0) {
    changed({.type = fmt::format("node.{}", model::to_string(node.record.status)), .node = node.record.name});
  }
  plan_all_soon();
}

void Master::on_down(Node& node) {
  node.downed_at = node.is_recorded ? now_.monotonic : kNever;
  await_answer(node);  // what it says when it is back
  drop_instances_of(node, model::Reason::NodeDown);
}

}  // namespace davit::master
