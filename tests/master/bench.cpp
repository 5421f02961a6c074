#include "master/bench.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace davit::master {
namespace {

constexpr Duration kStep = 100ms;
constexpr Duration kBeat = 1s;

}  // namespace

// ---- the store

bool StoreOfMap::holds(Compare const& compare) const {
  auto const found = items_.find(compare.key);
  if (found == items_.end()) return compare.value == 0;
  switch (compare.target) {
    case Compare::Target::Version: return found->second.version == compare.value;
    case Compare::Target::CreateRevision: return found->second.create_revision == compare.value;
    case Compare::Target::ModRevision: return found->second.mod_revision == compare.value;
  }
  return false;
}

Written StoreOfMap::commit(Write const& write) {
  if (!std::ranges::all_of(write.compares, [&](Compare const& each) { return holds(each); })) return {false, revision()};
  StoreBatch batch{.revision = revision() + 1};
  for (auto const& record : write.puts) {
    auto const key = model::key_of(record);
    auto& item = items_[key];
    if (item.version == 0) item.create_revision = batch.revision;
    item = {record, item.create_revision, batch.revision, item.version + 1, write.lease};
    batch.changes.push_back({key, record, item.create_revision, batch.revision});
  }
  for (auto const& key : write.erases) {
    if (items_.erase(key) > 0) batch.changes.push_back({.key = key, .mod_revision = batch.revision});
  }
  history_.push_back(std::move(batch));
  return {true, revision()};
}

void StoreOfMap::end_lease(std::int64_t lease) {
  Write write;
  for (auto const& [key, item] : items_) {
    if (item.lease == lease) write.erases.push_back(key);
  }
  commit(write);
}

// ---- masters

void Bench::start_master(NodeId id) {
  auto& master =
      masters_.try_emplace(id, Options{.new_cluster = {1}, .session = fmt::format("s{}", id.value), .self = id, .name = "m"}).first->second;
  master.inbox.push_back(Started{});
  for (auto& [node, each] : nodes_) {
    if (!each.is_silent) master.inbox.push_back(FromAgent{node, model::AgentHello{facts_of(node), each.incarnation}});
  }
  run();
}

void Bench::kill_master(NodeId id) {
  auto& master = masters_.at(id);
  master.is_alive = false;
  ending_leases_.emplace_back(now_.monotonic + 3s, master.lease);
}

void Bench::step(NodeId id, TestMaster& master, Event const& event) {
  Actions actions;
  master.machine.step(now_, event, actions);
  for (auto const& action : actions) perform(id, master, action);
}

void Bench::perform(NodeId id, TestMaster& master, Action const& action) {
  if (std::holds_alternative<Load>(action)) {
    StoreBatch all{.revision = store_.revision()};
    for (auto const& [key, item] : store_.items()) all.changes.push_back({key, item.record, item.create_revision, item.mod_revision});
    master.inbox.push_back(Loaded{std::move(all)});
  } else if (auto const* follow = std::get_if<Follow>(&action)) {
    master.watched = follow->from - 1;
    master.follows = true;
  } else if (auto const* grant = std::get_if<GrantLease>(&action)) {
    master.lease = next_lease_++;
    master.inbox.push_back(LeaseDone{grant->op, Granted{master.lease, grant->ttl}});
  } else if (auto const* renewal = std::get_if<RenewLease>(&action)) {
    master.inbox.push_back(LeaseDone{renewal->op, Granted{renewal->lease, 3s}});
  } else if (auto const* revocation = std::get_if<RevokeLease>(&action)) {
    store_.end_lease(revocation->lease);
    master.inbox.push_back(LeaseDone{revocation->op, Granted{revocation->lease, {}}});
  } else if (auto const* read = std::get_if<ReadRevision>(&action)) {
    master.inbox.push_back(RevisionRead{read->op, store_.revision()});
  } else if (auto const* write = std::get_if<Write>(&action)) {
    if (holds_back(*write)) held_.emplace_back(id, *write);
    else master.inbox.push_back(WriteDone{write->op, store_.commit(*write)});
  } else if (auto const* reply = std::get_if<Reply>(&action)) {
    master.reply = reply->outcome;
  } else if (auto const* sent = std::get_if<Send>(&action)) {
    receive(id, sent->node, sent->message);
  }
}

void Bench::release() {
  for (auto const& [id, write] : std::exchange(held_, {})) {
    masters_.at(id).inbox.push_back(WriteDone{write.op, store_.commit(write)});
  }
  run();
}

void Bench::show_changes(TestMaster& master) {
  while (master.follows && master.watched < store_.revision()) {
    master.inbox.push_back(StoreChanged{store_.history()[static_cast<std::size_t>(master.watched++)]});
  }
}

void Bench::end_watch(NodeId master) { masters_.at(master).inbox.push_back(WatchEnded{"it was behind"}); }

// Until nothing is left to do at this moment.
void Bench::run() {
  for (bool is_busy = true; is_busy;) {
    is_busy = false;
    for (auto& [id, master] : masters_) {
      if (!master.is_alive) continue;
      if (blind != id) show_changes(master);
      if (master.inbox.empty() && master.machine.wake_at() <= now_.monotonic) master.inbox.push_back(Tick{});
      if (master.inbox.empty()) continue;
      is_busy = true;
      auto const event = std::move(master.inbox.front());
      master.inbox.pop_front();
      step(id, master, event);
    }
  }
}

std::optional<Result<Applied>> Bench::command(NodeId id, model::Command command) {
  auto& master = masters_.at(id);
  master.reply.reset();
  master.inbox.push_back(CommandArrived{1, std::move(command)});
  run();
  return master.reply;
}

// ---- nodes

model::NodeFacts Bench::facts_of(NodeId id) {
  model::NodeFacts facts{
      .id = id, .name = fmt::format("n{}", id.value), .address = fmt::format("10.0.0.{}", id.value), .roles = {model::Role::Worker}};
  facts.engine = {.version = "27.1.1", .api_version = "1.46", .platform = "linux/amd64", .cpus = 4, .memory = {8LL << 30}};
  facts.engine_up = true;
  return facts;
}

void Bench::add_node(NodeId id) {
  nodes_[id];
  heal(id);
}

void Bench::cut(NodeId id) {
  nodes_.at(id).is_silent = true;
  for (auto& [master, each] : masters_) each.inbox.push_back(AgentLeft{id});
  run();
}

void Bench::heal(NodeId id) {
  auto& node = nodes_.at(id);
  node.is_silent = false;
  node.echoes.clear();
  say(id, model::AgentHello{facts_of(id), node.incarnation});
  next_beat_ = now_.monotonic;
  run();
}

void Bench::say(NodeId node, model::ToMaster message) {
  for (auto& [id, master] : masters_) {
    if (master.is_alive) master.inbox.push_back(FromAgent{node, message});
  }
  run();
}

void Bench::receive(NodeId master, NodeId id, model::ToAgent const& message) {
  auto& node = nodes_.at(id);
  if (node.is_silent) return;
  if (auto const* welcome = std::get_if<model::Welcome>(&message)) {
    node.incarnation = std::max(node.incarnation, welcome->incarnation);
  } else if (auto const* back = std::get_if<model::BeatBack>(&message)) {
    node.echoes[master] = back->stamp;
    node.grant = back->grant;
  } else if (auto const* offer = std::get_if<model::RunInstance>(&message)) {
    node.offers.push_back(*offer);
  } else if (auto const* stop = std::get_if<model::StopInstance>(&message)) {
    node.stops.push_back(*stop);
  } else if (auto const* change = std::get_if<model::DirectoryChanged>(&message)) {
    node.told.push_back(*change);
  } else if (auto const* fence = std::get_if<model::FenceShards>(&message); fence && node.answers_fences) {
    masters_.at(master).inbox.push_back(FromAgent{id, model::FencesStored{fence->round, fence->fences, node.has, fence->asker}});
  }
}

// ---- time

void Bench::pass(Duration time) {
  for (auto const end = now_.monotonic + time; now_.monotonic < end;) {
    now_.monotonic += kStep;
    now_.wall += std::chrono::duration_cast<std::chrono::milliseconds>(kStep);
    for (auto const& [at, lease] : ending_leases_) {
      if (at <= now_.monotonic) store_.end_lease(lease);
    }
    std::erase_if(ending_leases_, [&](auto const& each) { return each.first <= now_.monotonic; });
    if (next_beat_ <= now_.monotonic) {
      next_beat_ = now_.monotonic + kBeat;
      for (auto& [id, node] : nodes_) {
        for (auto& [master_id, master] : masters_) {
          if (node.is_silent || !master.is_alive) continue;
          model::Beat const beat{.incarnation = node.incarnation, .agent_clock = now_.monotonic, .echo = node.echoes[master_id]};
          master.inbox.push_back(FromAgent{id, beat});
        }
      }
    }
    run();
  }
}

bool Bench::until(std::function<bool()> const& condition, Duration limit) {
  for (auto const end = now_.monotonic + limit; !condition(); pass(kStep)) {
    if (now_.monotonic >= end) return false;
  }
  return true;
}

}  // namespace davit::master
