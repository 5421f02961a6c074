#include "adapters/store_sqlite/sqlite_store.hpp"

#include <type_traits>
#include <utility>

namespace davit::store_sqlite {
namespace {

class Handle final : public ports::Watch {
 public:
  explicit Handle(std::shared_ptr<Subscription> subscription) : subscription_(std::move(subscription)) {}
  Handle(Handle const&) = delete;
  Handle& operator=(Handle const&) = delete;
  ~Handle() override {
    subscription_->ended = true;
    subscription_->on_batch = nullptr;  // here and not where the last reference goes, which may be the store thread
  }

 private:
  std::shared_ptr<Subscription> subscription_;
};

Error surely_not_done() { return {Code::Deadline, "the store did not come to it in time; nothing was done", {}}; }
Error perhaps_done() { return {Code::UnknownOutcome, "the store did not answer in time; it may have been done", {}}; }

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(ports::Loop& loop, std::filesystem::path const& file, Options options) {
  TRY(auto kv, KvFile::open(file, options.history));
  return std::unique_ptr<SqliteStore>(new SqliteStore(loop, std::move(kv), options.max_group));
}

SqliteStore::SqliteStore(ports::Loop& loop, KvFile file, std::size_t max_group)
    : calls_(std::make_shared<PendingCalls>(
          loop, [this](CallId id, bool writes) { return thread_->withdraw(id) || !writes ? surely_not_done() : perhaps_done(); })) {
  auto answered = [&loop, calls = std::weak_ptr(calls_)](CallId id, Result<Answer> answer) {
    loop.post([calls, id, answer = std::move(answer)]() mutable {
      if (auto const live = calls.lock()) live->finish(id, std::move(answer));
    });
  };
  auto delivered = [&loop, calls = std::weak_ptr(calls_)](std::shared_ptr<Subscription> const& subscription, ports::WatchBatch batch) {
    loop.post([calls, subscription, batch = std::move(batch)] {
      // A copy, because the callback may destroy the watch, and with it the function that runs.
      auto const on_batch = subscription->on_batch;
      if (calls.lock() && on_batch) on_batch(batch);
    });
  };
  thread_ = std::make_unique<StoreThread>(std::move(file), max_group, std::move(answered), std::move(delivered));
}

SqliteStore::~SqliteStore() { stop(); }

void SqliteStore::stop() {
  thread_.reset();
  // Moved out first: destroying what the calls hold may lead back here.
  if (auto const calls = std::exchange(calls_, nullptr)) calls->close();
}

template <class T>
void SqliteStore::call(Request request, Monotonic deadline, ports::Done<T> done) {
  if (!calls_) return;
  auto finish = [done = std::move(done)](Result<Answer> answer) {
    if (!answer) done(std::unexpected(std::move(answer).error()));
    else if constexpr (std::is_void_v<T>) done({});
    else done(std::get<T>(*std::move(answer)));
  };
  CallId const id = calls_->add(deadline, is_write(request), std::move(finish));
  thread_->push(id, std::move(request));
}

void SqliteStore::commit(ports::Commit commit, Monotonic deadline, ports::Done<ports::Committed> done) {
  call(std::move(commit), deadline, std::move(done));
}

void SqliteStore::range(ports::Range range, Monotonic deadline, ports::Done<ports::RangeResult> done) {
  call(std::move(range), deadline, std::move(done));
}

void SqliteStore::grant_lease(Duration ttl, Monotonic deadline, ports::Done<ports::LeaseGranted> done) {
  call(GrantLease{ttl}, deadline, std::move(done));
}

void SqliteStore::renew_lease(std::int64_t lease, Monotonic deadline, ports::Done<ports::LeaseGranted> done) {
  call(RenewLease{lease}, deadline, std::move(done));
}

void SqliteStore::revoke_lease(std::int64_t lease, Monotonic deadline, ports::Done<void> done) {
  call(RevokeLease{lease}, deadline, std::move(done));
}

void SqliteStore::compact(std::int64_t before_revision, Monotonic deadline, ports::Done<void> done) {
  call(Compact{before_revision}, deadline, std::move(done));
}

void SqliteStore::status(Monotonic deadline, ports::Done<ports::StoreStatus> done) { call(ReadStatus{}, deadline, std::move(done)); }

std::unique_ptr<ports::Watch> SqliteStore::watch(std::string prefix, std::int64_t from,
                                                 std::function<void(ports::WatchBatch const&)> on_batch) {
  auto subscription = std::make_shared<Subscription>();
  subscription->prefix = std::move(prefix);
  subscription->next = from;
  subscription->on_batch = std::move(on_batch);
  call<void>(StartWatch{subscription}, kNever, [](Status) {});
  return std::make_unique<Handle>(std::move(subscription));
}

}  // namespace davit::store_sqlite
