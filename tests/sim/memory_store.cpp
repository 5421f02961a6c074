#include "sim/memory_store.hpp"

#include <algorithm>
#include <utility>

namespace davit::sim {

struct MemoryStore::Subscription {
  std::string prefix;
  std::int64_t next = 0;  // the first revision not posted yet
  std::function<void(ports::WatchBatch const&)> on_batch;
  bool ended = false;
};

class MemoryStore::Handle final : public ports::Watch {
 public:
  explicit Handle(std::shared_ptr<Subscription> subscription) : subscription_(std::move(subscription)) {}
  Handle(Handle const&) = delete;
  Handle& operator=(Handle const&) = delete;
  ~Handle() override {
    subscription_->ended = true;
    subscription_->on_batch = nullptr;
  }

 private:
  std::shared_ptr<Subscription> subscription_;
};

MemoryStore::MemoryStore(ports::Loop& loop) : MemoryStore(loop, std::make_shared<MemoryKv>(loop)) {}

MemoryStore::MemoryStore(ports::Loop& loop, std::shared_ptr<MemoryKv> data) : loop_(loop), data_(std::move(data)) {
  changed_ = data_->subscribe([this] { post_changes(); });
}

MemoryStore::~MemoryStore() { stop(); }

void MemoryStore::stop() {
  running_.reset();
  data_->unsubscribe(changed_);
  hanging_.clear();
  subscriptions_.clear();
}

template <class T>
void MemoryStore::post_result(ports::Done<T> done, Result<T> result) {
  loop_.post([running = std::weak_ptr(running_), done = std::move(done), result = std::move(result)]() mutable {
    if (running.lock()) done(std::move(result));
  });
}

template <class T, class Perform>
void MemoryStore::call(Kind kind, Monotonic deadline, ports::Done<T> done, Perform perform) {
  if (!running_) return;
  if (deadline <= loop_.now().monotonic)
    return post_result<T>(std::move(done), fail(Code::Deadline, "the deadline had passed before the call"));
  if (!reachable_) {
    auto error = kind == Kind::Read ? fail(Code::Deadline, "no answer from the store in time")
                                    : fail(Code::UnknownOutcome, "no answer from the store in time; it may have been done");
    return hang_until(deadline, [done = std::move(done), error = std::move(error)] { done(error); });
  }
  if (faults_.empty()) return post_result<T>(std::move(done), perform());

  Fault const fault = faults_.front();
  faults_.pop_front();
  if (fault.moment == Moment::AfterApplied) std::ignore = perform();
  post_result<T>(std::move(done), fail(fault.code, "a fault made by the test"));
}

void MemoryStore::hang_until(Monotonic deadline, std::function<void()> give_up) {
  auto const id = ++last_hanging_;
  auto& timer = hanging_[id] = loop_.make_timer();
  timer->set(deadline, [this, id, give_up = std::move(give_up)] {
    hanging_.erase(id);
    give_up();
  });
}

void MemoryStore::commit(ports::Commit commit, Monotonic deadline, ports::Done<ports::Committed> done) {
  call(Kind::Write, deadline, std::move(done), [&] { return data_->commit(commit); });
}

void MemoryStore::range(ports::Range range, Monotonic deadline, ports::Done<ports::RangeResult> done) {
  call(Kind::Read, deadline, std::move(done), [&] { return data_->range(range); });
}

void MemoryStore::grant_lease(Duration ttl, Monotonic deadline, ports::Done<ports::LeaseGranted> done) {
  call(Kind::Write, deadline, std::move(done), [&] { return Result<ports::LeaseGranted>(data_->grant_lease(ttl)); });
}

void MemoryStore::renew_lease(std::int64_t lease, Monotonic deadline, ports::Done<ports::LeaseGranted> done) {
  call(Kind::Write, deadline, std::move(done), [&] { return data_->renew_lease(lease); });
}

void MemoryStore::revoke_lease(std::int64_t lease, Monotonic deadline, ports::Done<void> done) {
  call(Kind::Write, deadline, std::move(done), [&] { return data_->revoke_lease(lease); });
}

void MemoryStore::compact(std::int64_t before_revision, Monotonic deadline, ports::Done<void> done) {
  call(Kind::Write, deadline, std::move(done), [&] { return data_->compact(before_revision); });
}

void MemoryStore::status(Monotonic deadline, ports::Done<ports::StoreStatus> done) {
  call(Kind::Read, deadline, std::move(done), [&] { return Result<ports::StoreStatus>(data_->status()); });
}

void MemoryStore::set_reachable(bool reachable) {
  reachable_ = reachable;
  if (running_) post_changes();
}

std::unique_ptr<ports::Watch> MemoryStore::watch(std::string prefix, std::int64_t from,
                                                 std::function<void(ports::WatchBatch const&)> on_batch) {
  auto subscription = std::make_shared<Subscription>(
      Subscription{.prefix = std::move(prefix), .next = from > 0 ? from : data_->revision() + 1, .on_batch = std::move(on_batch)});
  if (running_) {
    subscriptions_.push_back(subscription);
    post_changes(subscription);
  }
  return std::make_unique<Handle>(std::move(subscription));
}

void MemoryStore::post_changes() {
  for (auto const& subscription : subscriptions_) post_changes(subscription);
  std::erase_if(subscriptions_, [](auto const& subscription) { return subscription->ended; });
}

void MemoryStore::post_changes(std::shared_ptr<Subscription> const& subscription) {
  if (!reachable_ || subscription->ended) return;
  if (subscription->next < data_->oldest_revision()) {
    post_batch(subscription, {.revision = data_->oldest_revision(), .compacted = true, .changes = {}});
    subscription->ended = true;
    return;
  }
  for (auto& batch : data_->changes(subscription->prefix, subscription->next)) post_batch(subscription, std::move(batch));
  subscription->next = std::max(subscription->next, data_->revision() + 1);
}

void MemoryStore::post_batch(std::shared_ptr<Subscription> const& subscription, ports::WatchBatch batch) {
  loop_.post([running = std::weak_ptr(running_), subscription, batch = std::move(batch)] {
    // A copy, because the callback may destroy the watch, and with it the function that runs.
    auto const on_batch = subscription->on_batch;
    if (running.lock() && on_batch) on_batch(batch);
  });
}

}  // namespace davit::sim
