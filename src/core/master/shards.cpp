// What this master holds, and which workers have answered for it (protocol.md §5).
#include <algorithm>

#include <fmt/core.h>

#include "base/check.hpp"
#include "core/master/master.hpp"

namespace davit::master {
namespace {

// When an agent is asked again. Answers of thousands take their time, and what is asked twice comes twice, at full length.
Duration fence_retry(std::size_t nodes) { return 5s * static_cast<std::int64_t>(1 + nodes / 1000); }

constexpr Duration kUnansweredWait = 3s;

}  // namespace

std::map<std::string, std::string> Node::labels() const {
  auto all = record.labels;
  all.insert(facts.labels.begin(), facts.labels.end());  // what is there stays
  return all;
}

bool Node::is_worker() const {
  auto const& roles = is_recorded ? record.roles : facts.roles;
  return std::ranges::find(roles, model::Role::Worker) != roles.end();
}

bool Master::acts_for(ShardId id) const { return shards_[id.value].is_mine && may_command(); }

Compare Master::holds_shard(ShardId shard) const {
  return {model::shard_key(shard), Compare::Target::ModRevision, shards_[shard.value].epoch.revision};
}

void Master::on_shards(std::vector<ShardId> const& ids) {
  std::bitset<kShards> gained;
  std::bitset<kShards> lost;
  for (auto const id : ids) {
    auto& shard = shards_[id.value];
    auto const& kept = view_.shards[id.value];
    Epoch const epoch{view_.cluster.record.era, kept.mod_revision};
    if (shard.epoch == epoch) continue;
    lost[id.value] = shard.is_mine;
    shard.epoch = epoch;
    gained[id.value] = session_ && kept.record.session == session_->name;
  }
  if (lost.any()) lose(lost);
  if (gained.any()) gain(gained);
}

// The watch has shown the grant, so every earlier write to these journals has been seen too.
void Master::gain(std::bitset<kShards> const& gained) {
  for (std::size_t i = 0; i < kShards; ++i) {
    if (gained.test(i)) shards_[i].is_mine = true, shards_[i].fenced_at = kNever;
  }
  mine_ |= gained;
  for (auto& node : nodes_) {
    node.answered &= ~gained;
    node.fence_at = now_.monotonic;
    touch_path(node);
  }
  answers_changed_ = true;
  for (auto& [name, service] : services_) {
    if (!gained.test(service.shard.value)) continue;
    for (auto& instance : service.instances) instance.is_confirmed = false;
    service.placing.departures.clear();
    service.placing.has_seen_all = false;
    plan_soon(service);
  }
}

// What was only intended here (pending slots, unanswered offers) is the next owner's to decide.
void Master::lose(std::bitset<kShards> lost) {
  for (std::size_t i = 0; i < kShards; ++i) {
    if (lost.test(i)) shards_[i].is_mine = false;
  }
  mine_ &= ~lost;
  answers_changed_ = true;
  for (auto& [name, service] : services_) {
    if (!lost.test(service.shard.value)) continue;
    std::vector<std::pair<std::uint32_t, InstanceId>> intended;
    for (auto& instance : service.instances) {
      if (instance.stop_sent) touch(service);
      if (instance.stop_sent && instance.state == model::InstanceState::Running) instance.reason = model::Reason::None;
      instance.stop_sent = instance.is_confirmed = instance.is_held = false;
      if (instance.is_stranded()) instance.detail->rare.change([](service::Exceptional& rare) { rare.stranded_since = kNever; });
      instance.retry_at = kNever;
      bool const is_intended = instance.state == model::InstanceState::Pending || instance.state == model::InstanceState::Offered ||
                               instance.state == model::InstanceState::Lost;
      if (is_intended) intended.emplace_back(instance.slot, instance.id);
    }
    for (auto const& [slot, instance] : intended) erase(service, *service.find(slot, instance));
    for (auto& [slot, work] : std::exchange(service.slot_work, {})) {
      if (work.is_writing) service.slot_work[slot].is_writing = true;  // its outcome is still to come
    }
    for (auto& next : std::exchange(service.queued, {})) wait(next.id, std::move(next.command), 0s);
    service.placing.moves.clear();
    plan_at(service, kNever);
  }
}

// ---- paths to agents

void Master::keep_paths() {
  while (!fences_due_.empty() && fences_due_.begin()->first <= now_.monotonic) {
    unsettled_nodes_.insert(fences_due_.extract(fences_due_.begin()).value().second);
  }
  for (auto const ix : std::exchange(unsettled_nodes_, {})) {
    auto& node = nodes_[static_cast<std::size_t>(ix)];
    choose_path(node);
    keep_fenced(node);
  }
}

void Master::choose_path(Node& node) {
  bool const is_lost = liveness_ && liveness_->hearing(node.record.id, now_.monotonic) == cluster::Hearing::Lost;
  auto const can_relay = [&](NodeId peer) { return node.peers.contains(peer) && peers_.contains(peer); };
  auto const peer = std::ranges::find_if(node.peers, can_relay);
  Path path;
  if (node.is_connected && !is_lost) path.kind = Path::Kind::Direct;
  else if (node.path.kind == Path::Kind::Relayed && can_relay(node.path.peer)) path = node.path;
  else if (peer != node.peers.end()) path = {Path::Kind::Relayed, *peer};
  else if (node.is_connected) path.kind = Path::Kind::Direct;  // silent, but nobody else hears it either
  if (path == node.path) return;
  if (node.path.kind == Path::Kind::Relayed) send_peer(node.path.peer, model::Subscribe{node.record.id, false});
  if (path.kind == Path::Kind::Relayed) send_peer(path.peer, model::Subscribe{node.record.id, true});
  node.path = path;
  await_answer(node);
}

// What it says from now on is all that counts of it: on another way than before, or in another life.
void Master::await_answer(Node& node) {
  node.first_round = next_round_;
  node.has_reported = node.is_fenced = false;
  node.unheard_since = std::min(node.unheard_since, now_.monotonic);
  node.confirm_at = Monotonic::min();
  node.answered.reset();
  node.fence_at = now_.monotonic;
  answers_changed_ = true;
  touch_path(node);
  see_node(node);
}

// Also an agent that has nothing to obey is asked: its answer is the list of all that it has.
void Master::keep_fenced(Node& node) {
  if (node.fence_at > now_.monotonic) {
    if (node.fence_at != kNever) fences_due_.emplace(node.fence_at, index_of(node));
    return;
  }
  if (node.path.kind == Path::Kind::None || view_.cluster.mod_revision == 0) {
    node.fence_at = kNever;
    return;
  }
  welcome(node);
  model::FenceShards message{.round = node.last_round = next_round_++, .asker = options_.self};
  bool const may_fence = may_command();
  for (std::uint16_t i = 0; i < kShards && may_fence; ++i) {
    if (!shards_[i].is_mine || node.answered.test(i)) continue;
    message.fences.push_back({{i}, shards_[i].epoch});
    shards_[i].fenced_at = std::min(shards_[i].fenced_at, now_.monotonic);
  }
  bool const is_all_said = node.has_reported && message.fences.empty() && (may_fence || mine_.none());
  node.fence_at = is_all_said ? kNever : now_.monotonic + fence_retry(view_.nodes.size());
  if (is_all_said) return;
  fences_due_.emplace(node.fence_at, index_of(node));
  send(node, std::move(message), may_fence ? command_until() : kNever);
}

void Master::count_answers() {
  if (!std::exchange(answers_changed_, false)) return;
  answered_by_all_.set();
  all_were_heard_ = true;
  for (auto& node : nodes_) {
    bool const was_fenced = std::exchange(node.is_fenced, node.has_reported && !node.is_down() && (mine_ & ~node.answered).none());
    if (was_fenced != node.is_fenced) see_node(node), plan_all_soon();
    if (!node.is_recorded || !node.is_worker() || node.is_down()) continue;
    answered_by_all_ &= node.answered;
    all_were_heard_ = all_were_heard_ && node.was_heard;
  }
}

// Slots that nobody is known to have are placed although somebody has not answered, after a while, if everybody was heard once.
bool Master::may_place_unanswered(ShardId id) const {
  auto const& shard = shards_[id.value];
  return all_were_heard_ && shard.fenced_at != kNever && now_.monotonic >= shard.fenced_at + kUnansweredWait;
}

}  // namespace davit::master
