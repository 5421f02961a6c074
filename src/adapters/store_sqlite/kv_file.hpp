// The store's semantics over one file, synchronous: revisions, compares, group commit, leases, reads of the past.
// Opening it drops the leased keys: the data directory's lock is the lease, so leases live in memory and end with the process.
// Owned by StoreThread, which alone calls it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <vector>

#include "adapters/store_sqlite/history.hpp"
#include "adapters/store_sqlite/tables.hpp"
#include "ports/store.hpp"

namespace davit::store_sqlite {

class KvFile {
 public:
  static Result<KvFile> open(std::filesystem::path const& file, History::Limits limits);

  // One transaction and one flush for all of them. Each is judged in order, on what those before it have done; one that is
  // refused or whose compares do not hold leaves the others alone. One answer for each.
  std::vector<Result<ports::Committed>> commit(std::span<ports::Commit const> group);
  Result<ports::RangeResult> range(ports::Range const& range);

  Result<ports::LeaseGranted> grant_lease(Duration ttl);
  Result<ports::LeaseGranted> renew_lease(std::int64_t lease) const;
  Status revoke_lease(std::int64_t lease);

  Status compact(std::int64_t before_revision);
  ports::StoreStatus status() const;

  std::int64_t revision() const { return revision_; }
  History const& history() const { return history_; }
  void trim_history() { history_.trim(); }

 private:
  struct Draft {  // a transaction that is not durable yet
    std::int64_t revision = 0;
    std::vector<Change> changes;
  };

  KvFile(std::filesystem::path file, Tables tables, std::int64_t revision, std::int64_t life, History::Limits limits);

  Status validate(ports::Commit const& commit) const;
  Result<Draft> begin();
  Status finish(Draft draft);
  Result<ports::Committed> apply(ports::Commit const& commit, Draft& draft);
  Result<bool> holds(ports::Compare const& compare);
  Status apply(ports::Put const& put, std::int64_t revision, Draft& draft);
  Status apply(ports::Erase const& erase, std::int64_t revision, Draft& draft);
  Status erase_all(std::vector<std::string> const& keys);
  Status read_revision_again();

  std::filesystem::path file_;
  Tables tables_;
  std::int64_t revision_;
  bool is_revision_known_ = true;  // false after a transaction with an unknown outcome
  History history_;
  std::map<std::int64_t, Duration> leases_;
  std::int64_t next_lease_;
};

}  // namespace davit::store_sqlite
