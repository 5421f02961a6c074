// The data behind MemoryStore: etcd's KV semantics in plain containers, every old version kept until compacted.
// Several MemoryStores may look at one MemoryKv, as several masters look at one etcd. Control thread of its loop only; leases
// end by that loop's time. Slow and simple on purpose: it is what the other stores are compared with.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ports/loop.hpp"
#include "ports/store.hpp"

namespace davit::sim {

class MemoryKv {
 public:
  explicit MemoryKv(ports::Loop& loop) : loop_(loop) {}
  MemoryKv(MemoryKv const&) = delete;
  MemoryKv& operator=(MemoryKv const&) = delete;

  Result<ports::Committed> commit(ports::Commit const& commit);
  Result<ports::RangeResult> range(ports::Range const& range) const;
  ports::LeaseGranted grant_lease(Duration ttl);
  Result<ports::LeaseGranted> renew_lease(std::int64_t lease);
  Status revoke_lease(std::int64_t lease);
  // As while a cluster of stores has no leader: none ends. Afterwards each lasts for its whole time again.
  void hold_leases(bool held);
  std::vector<std::int64_t> leases() const;
  Status compact(std::int64_t before_revision);
  ports::StoreStatus status() const;

  std::int64_t revision() const { return revision_; }
  // Watching and reading are possible from this revision on.
  std::int64_t oldest_revision() const { return oldest_revision_; }
  // One batch for each revision from `from` on that changed keys under `prefix`.
  std::vector<ports::WatchBatch> changes(std::string const& prefix, std::int64_t from) const;

  // `changed` runs inside the call that made a new revision, until unsubscribed.
  std::uint64_t subscribe(std::function<void()> changed);
  void unsubscribe(std::uint64_t subscription) { subscribers_.erase(subscription); }

  // 0: none. Beyond it puts are refused with Code::Full and erasing goes on.
  void set_quota(std::int64_t bytes) { quota_bytes_ = bytes; }
  // As a full disk: every write is refused, whatever it compares.
  void set_full(bool full) { full_ = full; }
  // Some writes may be refused.
  bool is_nearly_full() const { return full_ || (quota_bytes_ > 0 && size_bytes_ * 100 > quota_bytes_ * 95); }

 private:
  struct Version {
    std::int64_t revision = 0;
    std::optional<ports::KeyValue> item;  // none: erased
  };
  struct Lease {
    Duration ttl{};
    std::unique_ptr<ports::Timer> timer;
    std::set<std::string> keys;
  };

  ports::KeyValue const* find(std::string const& key) const;
  bool holds(ports::Compare const& compare) const;
  Status check_space(ports::Commit const& commit) const;
  void apply(ports::Put const& put, std::int64_t revision);
  void apply(ports::Erase const& erase, std::int64_t revision);
  void record(std::string const& key, std::int64_t revision, std::optional<ports::KeyValue> item);
  void detach(ports::KeyValue const* item);
  void keep_lease(std::int64_t lease);
  void end_lease(std::int64_t lease);
  void publish(std::int64_t revision);

  ports::Loop& loop_;
  std::int64_t revision_ = 1;
  std::int64_t oldest_revision_ = 1;
  std::int64_t size_bytes_ = 0;
  std::int64_t quota_bytes_ = 0;
  bool full_ = false;
  std::map<std::string, std::vector<Version>> keys_;
  std::map<std::int64_t, std::vector<std::variant<ports::KeyPut, ports::KeyErased>>> changes_;
  std::map<std::int64_t, Lease> leases_;
  std::int64_t last_lease_ = 0;
  bool leases_held_ = false;
  std::map<std::uint64_t, std::function<void()>> subscribers_;
  std::uint64_t last_subscription_ = 0;
};

}  // namespace davit::sim
