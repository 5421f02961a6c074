// The store of a single machine: ports::Store over one SQLite file (WAL, synchronous=FULL, group commit).
// Owned by the app for the process's life, under the lock on the data directory, which is also every lease: leased keys
// are dropped when the store is opened. Control thread only; the file belongs to a thread of its own.
//
// What etcd has and this has not: changes before the last opening (Range and watch say Stale and compacted).
// A watch gets nothing more after a batch that says compacted.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "adapters/store_sqlite/history.hpp"
#include "adapters/store_sqlite/pending_calls.hpp"
#include "adapters/store_sqlite/store_thread.hpp"
#include "ports/loop.hpp"
#include "ports/store.hpp"

namespace davit::store_sqlite {

class SqliteStore final : public ports::Store {
 public:
  struct Options {
    History::Limits history;
    std::size_t max_group = 512;  // commits that share one flush at most
  };

  // Reads the whole file once. Makes it where there is none; refuses a damaged, foreign or newer one without touching it.
  static Result<std::unique_ptr<SqliteStore>> open(ports::Loop& loop, std::filesystem::path const& file, Options options);
  static Result<std::unique_ptr<SqliteStore>> open(ports::Loop& loop, std::filesystem::path const& file) { return open(loop, file, {}); }
  SqliteStore(SqliteStore const&) = delete;
  SqliteStore& operator=(SqliteStore const&) = delete;
  ~SqliteStore() override;

  void commit(ports::Commit commit, Monotonic deadline, ports::Done<ports::Committed> done) override;
  void range(ports::Range range, Monotonic deadline, ports::Done<ports::RangeResult> done) override;
  std::unique_ptr<ports::Watch> watch(std::string prefix, std::int64_t from,
                                      std::function<void(ports::WatchBatch const&)> on_batch) override;
  void grant_lease(Duration ttl, Monotonic deadline, ports::Done<ports::LeaseGranted> done) override;
  void renew_lease(std::int64_t lease, Monotonic deadline, ports::Done<ports::LeaseGranted> done) override;
  void revoke_lease(std::int64_t lease, Monotonic deadline, ports::Done<void> done) override;
  void compact(std::int64_t before_revision, Monotonic deadline, ports::Done<void> done) override;
  void status(Monotonic deadline, ports::Done<ports::StoreStatus> done) override;
  // Waits for the flush at hand, then closes the file. Calls without an answer get none.
  void stop() override;

 private:
  SqliteStore(ports::Loop& loop, KvFile file, std::size_t max_group);

  template <class T>
  void call(Request request, Monotonic deadline, ports::Done<T> done);

  std::shared_ptr<PendingCalls> calls_;  // none after stop(): what is posted then does nothing
  std::unique_ptr<StoreThread> thread_;
};

}  // namespace davit::store_sqlite
