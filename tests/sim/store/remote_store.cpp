#include "sim/store/remote_store.hpp"

#include <algorithm>
#include <utility>

namespace davit::sim {
namespace {

constexpr Duration kBehindLimit = 1500ms;  // a watch that is behind what calls have shown for so long stands still

std::int64_t revision_of(ports::Committed const& answer) { return answer.revision; }
std::int64_t revision_of(ports::RangeResult const& answer) { return answer.revision; }
std::int64_t revision_of(ports::StoreStatus const& answer) { return answer.revision; }
std::int64_t revision_of(ports::LeaseGranted const&) { return 0; }

NodeId id_of_member(std::size_t index) { return {index + 1}; }
std::size_t index_of(NodeId member) { return member.value - 1; }

}  // namespace

class RemoteStore::Handle final : public ports::Watch {
 public:
  explicit Handle(std::shared_ptr<Subscription> subscription) : subscription_(std::move(subscription)) {}
  Handle(Handle const&) = delete;
  Handle& operator=(Handle const&) = delete;
  ~Handle() override {
    subscription_->is_ended = true;
    subscription_->stream.reset();
  }

 private:
  std::shared_ptr<Subscription> subscription_;
};

RemoteStore::RemoteStore(Place place, StoreCluster& cluster)
    : place_(place),
      cluster_(cluster),
      dialler_(place, {.on_joined = [this](NodeId member) { on_joined(member); },
                       .on_message = [](NodeId, Message message) { std::get<Thunk>(message)(); },
                       .on_left = [this](NodeId member) { on_left(member); }}) {
  std::vector<model::MasterAddress> members;
  for (std::size_t i = 0; i < cluster.members().size(); ++i) members.push_back({id_of_member(i), StoreCluster::address(i)});
  current_ = id_of_member(place.self.value % members.size());
  dialler_.keep_connected(members);
}

RemoteStore::~RemoteStore() = default;

void RemoteStore::stop() {
  alive_.reset();
  calls_.clear();
  subscriptions_.clear();
}

// ---- calls

template <class T, class Perform>
void RemoteStore::call(bool is_write, Monotonic deadline, ports::Done<T> done, Perform perform) {
  if (!alive_) return;
  auto const id = ++last_call_;
  auto const shared = std::make_shared<ports::Done<T>>(std::move(done));
  auto const finish = [this, alive = std::weak_ptr(alive_), id, shared](Result<T> outcome) {
    if (alive.expired() || calls_.erase(id) == 0) return;
    if constexpr (!std::is_void_v<T>) {
      if (outcome) notice(revision_of(*outcome));
    }
    (*shared)(std::move(outcome));
  };
  auto& call = calls_[id];
  call.request = {.is_write = is_write,
                  .execute = [finish, perform = std::move(perform)](StoreCluster& cluster) -> Thunk {
                    return [finish, outcome = Result<T>(perform(cluster))] { finish(outcome); };
                  },
                  .refuse = [finish](Error const& error) -> Thunk { return [finish, error] { finish(std::unexpected(error)); }; }};
  call.give_up = [finish](Code code, std::string why) { finish(fail(code, std::move(why))); };
  call.deadline = place_.process.make_timer();
  call.deadline->set(deadline, [this, id] { on_deadline(id); });
  send(id, call);
}

void RemoteStore::send(CallId, Call& call) {
  if (!dialler_.find(current_)) current_ = choose(current_);
  auto* connection = dialler_.find(current_);
  if (!connection) return;
  call.sent_to = current_;
  auto& member = *cluster_.members()[index_of(current_)];
  connection->send(End::Client,
                   [&member, client = connection->weak_from_this(), request = call.request] { member.serve(client, request); });
}

// The next one is asked from now on.
void RemoteStore::on_deadline(CallId id) {
  auto const& call = calls_.at(id);
  bool const may_be_done = call.request.is_write && call.sent_to;
  if (call.sent_to == current_) current_ = choose(current_);
  auto const give_up = call.give_up;
  give_up(may_be_done ? Code::UnknownOutcome : Code::Deadline, "no answer from the store in time");
}

NodeId RemoteStore::choose(NodeId rather_not) const {
  auto const members = cluster_.members().size();
  for (std::size_t step = 1; step <= members; ++step) {
    auto const member = id_of_member((index_of(rather_not) + step) % members);
    if (dialler_.find(member)) return member;
  }
  return rather_not;
}

void RemoteStore::on_joined(NodeId member) {
  if (!alive_) return;
  for (auto& [id, call] : calls_) {
    if (!call.sent_to) send(id, call);
  }
  for (auto const& subscription : subscriptions_) {
    if (!subscription->member) open(*subscription, member);
  }
}

void RemoteStore::on_left(NodeId member) {
  if (!alive_) return;
  std::vector<std::pair<bool, std::function<void(Code, std::string)>>> lost;
  for (auto const& [id, call] : calls_) {
    if (call.sent_to == member) lost.emplace_back(call.request.is_write, call.give_up);
  }
  for (auto const& subscription : subscriptions_) {
    if (subscription->member == member) open(*subscription, member);
  }
  for (auto const& [is_write, give_up] : lost) {
    give_up(is_write ? Code::UnknownOutcome : Code::Unavailable, "the connection to the store broke");
  }
}

void RemoteStore::commit(ports::Commit commit, Monotonic deadline, ports::Done<ports::Committed> done) {
  call<ports::Committed>(true, deadline, std::move(done),
                         [commit = std::move(commit)](StoreCluster& cluster) { return cluster.commit(commit); });
}

void RemoteStore::range(ports::Range range, Monotonic deadline, ports::Done<ports::RangeResult> done) {
  call<ports::RangeResult>(false, deadline, std::move(done),
                           [range = std::move(range)](StoreCluster& cluster) { return cluster.data().range(range); });
}

void RemoteStore::grant_lease(Duration ttl, Monotonic deadline, ports::Done<ports::LeaseGranted> done) {
  call<ports::LeaseGranted>(true, deadline, std::move(done), [ttl](StoreCluster& cluster) { return cluster.data().grant_lease(ttl); });
}

void RemoteStore::renew_lease(std::int64_t lease, Monotonic deadline, ports::Done<ports::LeaseGranted> done) {
  call<ports::LeaseGranted>(true, deadline, std::move(done), [lease](StoreCluster& cluster) { return cluster.data().renew_lease(lease); });
}

void RemoteStore::revoke_lease(std::int64_t lease, Monotonic deadline, ports::Done<void> done) {
  call<void>(true, deadline, std::move(done), [lease](StoreCluster& cluster) { return cluster.data().revoke_lease(lease); });
}

void RemoteStore::compact(std::int64_t before_revision, Monotonic deadline, ports::Done<void> done) {
  call<void>(true, deadline, std::move(done), [before_revision](StoreCluster& cluster) { return cluster.data().compact(before_revision); });
}

void RemoteStore::status(Monotonic deadline, ports::Done<ports::StoreStatus> done) {
  call<ports::StoreStatus>(false, deadline, std::move(done), [](StoreCluster& cluster) { return cluster.data().status(); });
}

// ---- watches

std::unique_ptr<ports::Watch> RemoteStore::watch(std::string prefix, std::int64_t from,
                                                 std::function<void(ports::WatchBatch const&)> on_batch) {
  auto subscription = std::make_shared<Subscription>(Subscription{
      .prefix = std::move(prefix), .next = from, .on_batch = std::move(on_batch), .member = {}, .stream = {}, .behind_since = {}});
  if (alive_) {
    std::erase_if(subscriptions_, [](auto const& each) { return each->is_ended; });
    subscriptions_.push_back(subscription);
    open(*subscription, current_);
  }
  return std::make_unique<Handle>(std::move(subscription));
}

void RemoteStore::open(Subscription& subscription, NodeId rather_not) {
  subscription.stream.reset();
  subscription.member = {};
  subscription.behind_since.reset();
  if (subscription.is_ended) return;
  auto const member = choose(rather_not);
  auto* connection = dialler_.find(member);
  if (!connection) return;
  auto const which = std::ranges::find(subscriptions_, &subscription, &std::shared_ptr<Subscription>::get);
  subscription.member = member;
  subscription.stream = std::make_shared<WatchStream>(
      WatchStream{[this, weak = std::weak_ptr(*which)](ports::WatchBatch const& batch) { on_batch(weak, batch); }});
  auto& server = *cluster_.members()[index_of(member)];
  connection->send(End::Client, [&server, client = connection->weak_from_this(), stream = std::weak_ptr(subscription.stream),
                                 prefix = subscription.prefix, from = subscription.next] { server.watch(client, stream, prefix, from); });
}

void RemoteStore::on_batch(std::weak_ptr<Subscription> const& which, ports::WatchBatch const& batch) {
  auto const subscription = which.lock();
  if (!subscription || subscription->is_ended || !alive_) return;
  subscription->next = batch.revision + 1;
  if (batch.compacted) subscription->is_ended = true;
  auto const tell = subscription->on_batch;  // which may destroy the watch
  tell(batch);
}

// What a call has shown of the store's revision: a watch that stays behind it is not kept.
void RemoteStore::notice(std::int64_t revision) {
  auto const now = place_.process.now().monotonic;
  seen_ = std::max(seen_, revision);
  for (auto const& subscription : subscriptions_) {
    if (subscription->is_ended || subscription->next > seen_) {
      subscription->behind_since.reset();
    } else if (!subscription->behind_since) {
      subscription->behind_since = now;
    } else if (now - *subscription->behind_since > kBehindLimit) {
      open(*subscription, subscription->member ? subscription->member : current_);
    }
  }
}

}  // namespace davit::sim
