// ports::Store over a MemoryKv, for tests and the simulator: one per simulated process, with faults on demand.
// A call takes effect at once and its completion is posted; nothing happens on its own, so the same calls give the same trace.
// Control thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ports/loop.hpp"
#include "ports/store.hpp"
#include "sim/memory_kv.hpp"

namespace davit::sim {

class MemoryStore final : public ports::Store {
 public:
  enum class Moment : std::uint8_t {
    BeforeApplied,  // the call fails and nothing was done
    AfterApplied,   // it was done, and the caller is told that it failed
  };

  explicit MemoryStore(ports::Loop& loop);                        // with data of its own
  MemoryStore(ports::Loop& loop, std::shared_ptr<MemoryKv> data);  // shared with others
  ~MemoryStore() override;

  void commit(ports::Commit commit, Monotonic deadline, ports::Done<ports::Committed> done) override;
  void range(ports::Range range, Monotonic deadline, ports::Done<ports::RangeResult> done) override;
  std::unique_ptr<ports::Watch> watch(std::string prefix, std::int64_t from,
                                      std::function<void(ports::WatchBatch const&)> on_batch) override;
  void grant_lease(Duration ttl, Monotonic deadline, ports::Done<ports::LeaseGranted> done) override;
  void renew_lease(std::int64_t lease, Monotonic deadline, ports::Done<ports::LeaseGranted> done) override;
  void revoke_lease(std::int64_t lease, Monotonic deadline, ports::Done<void> done) override;
  void compact(std::int64_t before_revision, Monotonic deadline, ports::Done<void> done) override;
  void status(Monotonic deadline, ports::Done<ports::StoreStatus> done) override;
  void stop() override;

  MemoryKv& data() { return *data_; }

  // The next call (of those that have no fault yet) ends with `code`. May be called several times for several calls.
  void fail_next(Code code, Moment moment = Moment::BeforeApplied) { faults_.push_back({code, moment}); }
  // While not reachable, calls take no effect and end at their deadlines (a write's outcome is unknown to its caller), and
  // watches stand still. Once it is again, watches go on where they were.
  void set_reachable(bool reachable);

 private:
  enum class Kind : std::uint8_t { Read, Write };
  struct Fault {
    Code code;
    Moment moment;
  };
  struct Subscription;
  class Handle;

  template <class T, class Perform>
  void call(Kind kind, Monotonic deadline, ports::Done<T> done, Perform perform);
  template <class T>
  void post_result(ports::Done<T> done, Result<T> result);
  void hang_until(Monotonic deadline, std::function<void()> give_up);
  void post_changes();
  void post_changes(std::shared_ptr<Subscription> const& subscription);
  void post_batch(std::shared_ptr<Subscription> const& subscription, ports::WatchBatch batch);

  ports::Loop& loop_;
  std::shared_ptr<MemoryKv> data_;
  std::uint64_t changed_ = 0;  // our subscription to the data's changes
  bool reachable_ = true;
  std::deque<Fault> faults_;
  std::map<std::uint64_t, std::unique_ptr<ports::Timer>> hanging_;
  std::uint64_t last_hanging_ = 0;
  std::vector<std::shared_ptr<Subscription>> subscriptions_;
  std::shared_ptr<bool> running_ = std::make_shared<bool>(true);  // gone after stop(): what is posted then does nothing
};

}  // namespace davit::sim
