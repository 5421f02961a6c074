// What the store suite needs to know of an implementation: a fresh store, its loop, and how to let time pass until something
// holds. And a client that waits for answers, so that tests read as a list of steps.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conformance/temporary_folder.hpp"
#include "ports/loop.hpp"
#include "ports/store.hpp"

namespace davit::conformance {

inline constexpr Duration kPatience = 30s;

class StoreHarness {
 public:
  virtual ~StoreHarness() = default;
  virtual ports::Store& store() = 0;
  virtual ports::Loop& loop() = 0;
  // False: it did not come to hold within a time in which it surely should have.
  virtual bool run_until(std::function<bool()> const& condition) = 0;
};

std::unique_ptr<StoreHarness> make_memory_harness();
std::unique_ptr<StoreHarness> make_sqlite_harness();                                      // in a folder of its own that goes with it
std::unique_ptr<StoreHarness> make_sqlite_harness(std::filesystem::path const& file);  // whose owner removes it

ports::Put put(std::string key, std::string value, std::int64_t lease = 0);
ports::Erase erase(std::string key);
ports::Compare version_is(std::string key, std::int64_t version);

class StoreClient {
 public:
  explicit StoreClient(StoreHarness& harness) : harness_(harness) {}

  Monotonic deadline() const;
  Result<ports::Committed> commit(std::vector<ports::Compare> compares, std::vector<ports::Operation> operations);
  Result<ports::Committed> write(std::vector<ports::Operation> operations) { return commit({}, std::move(operations)); }
  Result<ports::RangeResult> range(ports::Range range);
  std::optional<ports::KeyValue> get(std::string const& key);
  std::vector<std::string> keys(ports::Range range = {});
  Result<ports::LeaseGranted> grant_lease(Duration ttl);
  Result<ports::LeaseGranted> renew_lease(std::int64_t lease);
  Status revoke_lease(std::int64_t lease);
  Status compact(std::int64_t before_revision);
  std::int64_t revision();  // also a barrier: what was delivered before its answer has arrived

 private:
  template <class T, class Start>
  Result<T> wait_for(Start start);

  StoreHarness& harness_;
};

// Collects what a watch delivers, as short texts: "3 a=1", "4 -a", "compacted".
class WatchRecord {
 public:
  WatchRecord(StoreHarness& harness, std::string prefix, std::int64_t from);
  std::vector<std::string> const& lines() const { return lines_; }
  std::vector<std::int64_t> const& revisions() const { return revisions_; }  // of the batches
  void end() { watch_.reset(); }

 private:
  std::vector<std::string> lines_;
  std::vector<std::int64_t> revisions_;
  std::unique_ptr<ports::Watch> watch_;
};

}  // namespace davit::conformance
