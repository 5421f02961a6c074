#include "sim/store/store_member.hpp"

#include <algorithm>
#include <utility>

#include "sim/store/store_cluster.hpp"

namespace davit::sim {
namespace {

constexpr Duration kCallLimit = 7s;  // etcd's own, for a call that finds no leader

}  // namespace

StoreMember::StoreMember(StoreCluster& cluster, Directory& directory, std::size_t index, HostId host)
    : cluster_(cluster),
      directory_(directory),
      index_(index),
      host_(host),
      clock_(cluster.loop(), 1000s),
      applies_(cluster.loop().make_timer()),
      retries_(cluster.loop().make_timer()) {}

void StoreMember::start() {
  auto& life = *lives_.emplace_back(std::make_unique<ProcessLoop>(cluster_.loop(), clock_));
  directory_.listen(
      StoreCluster::address(index_),
      {.host = host_,
       .process = life,
       .accept =
           [this, &life](NodeId) {
             return Connection::Side{
                 .process = life, .host = host_, .on_message = [](Message message) { std::get<Thunk>(message)(); }, .on_closed = [] {}};
           },
       .on_accepted = [](NodeId, std::shared_ptr<Connection> const&) {}});
}

void StoreMember::go_down() {
  if (downs_++ > 0) return;
  directory_.close(StoreCluster::address(index_));
  lives_.back()->kill();
  cluster_.network().break_all(*lives_.back());
  waiting_.clear();
  answers_.clear();
  watches_.clear();
  cluster_.review();
}

void StoreMember::come_up() {
  if (--downs_ > 0) return;
  start();
  cluster_.review();
}

void StoreMember::serve(std::weak_ptr<Connection> client, StoreRequest request) {
  Call call{std::move(client), std::move(request), cluster_.loop().now().monotonic + kCallLimit};
  auto const trouble = cluster_.next_trouble(call.request.is_write);
  auto const delay = cluster_.consensus_delay() + trouble.late;
  if (!trouble.is_answered) call.client.reset();
  if (!trouble.is_done) return;
  cluster_.delays().after(delay, [this, call = std::move(call)]() mutable { execute(std::move(call)); });
}

// What waits for a leader may still be done although its client has given up.
void StoreMember::execute(Call call) {
  if (!is_up()) return;
  if (!cluster_.serves(*this)) {
    waiting_.push_back(std::move(call));
    retries_->set(waiting_.front().until, [this] { retry_waiting(); });
    return;
  }
  auto what = call.request.execute(cluster_);
  auto const revision = cluster_.data().revision();
  if (call.request.is_write || slowness_ == 0ns) return answer(revision, call.client, std::move(what));
  cluster_.delays().after(
      slowness_, [this, revision, client = call.client, what = std::move(what)]() mutable { answer(revision, client, std::move(what)); });
}

void StoreMember::retry_waiting() {
  auto const now = cluster_.loop().now().monotonic;
  for (auto& call : std::exchange(waiting_, {})) {
    if (call.until <= now) answer(0, call.client, call.request.refuse({Code::Unavailable, "the store has no leader", {}}));
    else execute(std::move(call));
  }
}

void StoreMember::answer(std::int64_t revision, std::weak_ptr<Connection> const& client, Thunk what) {
  if (revision > applied_) {
    answers_.push_back({revision, client, std::move(what)});
    return;
  }
  if (auto const connection = client.lock()) connection->send(End::Server, std::move(what));
}

void StoreMember::watch(std::weak_ptr<Connection> client, std::weak_ptr<WatchStream> stream, std::string prefix, std::int64_t from) {
  Watch watch{std::move(client), std::move(stream), std::move(prefix), from > 0 ? from : applied_ + 1};
  if (publish(watch)) watches_.push_back(std::move(watch));
}

void StoreMember::on_revision(std::int64_t revision) {
  auto const last = applying_.empty() ? Monotonic{} : applying_.back().at;
  auto const at = cluster_.loop().now().monotonic + cluster_.random().between(Duration(200us), Duration(2ms)) + lag_;
  applying_.push_back({std::max(last, at), revision});
  if (applying_.size() == 1) applies_->set(applying_.front().at, [this] { apply(); });
}

void StoreMember::on_reach_changed() {
  retry_waiting();
  apply();
}

// Only what the leader has sent it: cut off from it, a member stands still.
void StoreMember::apply() {
  if (!cluster_.hears_leader(*this)) return;
  auto const before = applied_;
  while (!applying_.empty() && applying_.front().at <= cluster_.loop().now().monotonic) {
    applied_ = applying_.front().revision;
    applying_.pop_front();
  }
  if (!applying_.empty()) applies_->set(applying_.front().at, [this] { apply(); });
  if (applied_ == before) return;
  std::erase_if(watches_, [this](Watch& watch) { return !publish(watch); });
  for (auto& held : std::exchange(answers_, {})) answer(held.revision, held.client, std::move(held.what));
}

// False: it has ended.
bool StoreMember::publish(Watch& watch) {
  auto const client = watch.client.lock();
  if (!client || !client->is_open(End::Server) || watch.stream.expired()) return false;
  auto const send = [&](ports::WatchBatch batch) {
    client->send(End::Server, [stream = watch.stream, batch = std::move(batch)] {
      if (auto const wanted = stream.lock()) wanted->on_batch(batch);
    });
  };
  auto& data = cluster_.data();
  if (watch.next < data.oldest_revision()) {
    send({.revision = data.oldest_revision(), .compacted = true, .changes = {}});
    return false;
  }
  for (auto& batch : data.changes(watch.prefix, watch.next)) {
    if (batch.revision > applied_) break;
    send(std::move(batch));
  }
  watch.next = std::max(watch.next, applied_ + 1);
  return true;
}

}  // namespace davit::sim
