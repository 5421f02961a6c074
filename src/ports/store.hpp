// The durable, linearizable key-value store (design.md §5), with the semantics of etcd's KV.
// Implementations: adapters/store_sqlite, adapters/store_etcd, tests/sim (memory); all pass tests/conformance/store_*.
//
// Calls in flight may be done in any order, and what a watch delivers is in no order with answers: who needs one waits.
// Every call: `done` runs exactly once, on the control thread, never inside the call, never after stop(). A call that gets
// no answer by its deadline ends with Code::Deadline (surely not done) or Code::UnknownOutcome (may have been done).
// Code::Full: no space left, reads go on. The write was not done, or it is the one that took the store over its quota: a commit of its
// compares alone, which a full store takes, tells.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "ports/done.hpp"

namespace davit::ports {

struct KeyValue {
  std::string key;
  std::string value;
  std::int64_t create_revision = 0;
  std::int64_t mod_revision = 0;
  std::int64_t version = 0;  // 1 at creation, +1 with each put
  std::int64_t lease = 0;    // 0: none
  friend bool operator==(KeyValue const&, KeyValue const&) = default;
};

// Holds when the key's number equals `value`; an absent key has 0 for each.
struct Compare {
  enum class Target : std::uint8_t { Version, CreateRevision, ModRevision };
  std::string key;
  Target target = Target::Version;
  std::int64_t value = 0;
};

struct Put {
  std::string key;
  std::string value;
  std::int64_t lease = 0;
};
struct Erase {
  std::string key;  // an absent key is no error
};
using Operation = std::variant<Put, Erase>;

// All operations, or none when a compare does not hold. A key may occur once among the operations; at most 128 of them.
struct Commit {
  std::vector<Compare> compares;
  std::vector<Operation> operations;
};
struct Committed {
  bool succeeded = false;     // false: a compare did not hold
  std::int64_t revision = 0;  // the store's revision after this commit; every key written has it as mod_revision
};

struct Range {
  std::string prefix;         // "" is everything
  std::int64_t revision = 0;  // 0: now; an old one may be Code::Stale when compacted
  std::int64_t limit = 0;     // 0: all
  std::string after;          // only keys greater than this one
};
struct RangeResult {
  std::vector<KeyValue> items;  // by key
  bool more = false;
  std::int64_t revision = 0;  // of the whole answer
};

struct KeyPut {
  KeyValue item;
};
struct KeyErased {
  std::string key;
  std::int64_t mod_revision = 0;
};
// One revision's changes are never split over two batches. `compacted`: changes were lost; read again and watch anew.
// Neither changes nor compacted: the watch has reached the revision, and nothing under its prefix has changed on the way.
struct WatchBatch {
  std::int64_t revision = 0;
  bool compacted = false;
  std::vector<std::variant<KeyPut, KeyErased>> changes;
};

struct LeaseGranted {
  std::int64_t lease = 0;
  Duration ttl{};
};

struct StoreStatus {
  std::int64_t revision = 0;
  std::int64_t size_bytes = 0;
  std::int64_t quota_bytes = 0;  // 0: none
};

// Ends its watch when destroyed. Control thread only.
class Watch {
 public:
  virtual ~Watch() = default;
};

class Store {
 public:
  virtual ~Store() = default;

  virtual void commit(Commit commit, Monotonic deadline, Done<Committed> done) = 0;
  virtual void range(Range range, Monotonic deadline, Done<RangeResult> done) = 0;
  // Every change to keys under `prefix` from `from` on (inclusive), in order, without gaps. 0: what comes after the newest revision that
  // an answer has shown.
  virtual std::unique_ptr<Watch> watch(std::string prefix, std::int64_t from, std::function<void(WatchBatch const&)> on_batch) = 0;

  // Keys put with a lease vanish when it ends. (SQLite: the lock on the data directory is the lease, so it never ends in a process's life.)
  virtual void grant_lease(Duration ttl, Monotonic deadline, Done<LeaseGranted> done) = 0;
  virtual void renew_lease(std::int64_t lease, Monotonic deadline, Done<LeaseGranted> done) = 0;  // Code::NotFound: it has ended
  virtual void revoke_lease(std::int64_t lease, Monotonic deadline, Done<void> done) = 0;

  virtual void compact(std::int64_t before_revision, Monotonic deadline, Done<void> done) = 0;
  virtual void status(Monotonic deadline, Done<StoreStatus> done) = 0;
  virtual void stop() = 0;
};

}  // namespace davit::ports
