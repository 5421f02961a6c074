#include "conformance/etcd/etcd_harness.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "base/check.hpp"

namespace davit::conformance {
namespace {

// Gives back the status only when each watch has reached its revision: the suites take that call for a barrier, and a store over the
// network has no other. The progress that tells it is not shown to the tests, which count the batches.
class BarrierStore final : public ports::Store {
 public:
  explicit BarrierStore(ports::Store& inner) : inner_(inner) {}

  void commit(ports::Commit commit, Monotonic deadline, ports::Done<ports::Committed> done) override {
    inner_.commit(std::move(commit), deadline, std::move(done));
  }
  void range(ports::Range range, Monotonic deadline, ports::Done<ports::RangeResult> done) override {
    inner_.range(std::move(range), deadline, std::move(done));
  }
  void grant_lease(Duration ttl, Monotonic deadline, ports::Done<ports::LeaseGranted> done) override {
    inner_.grant_lease(ttl, deadline, std::move(done));
  }
  void renew_lease(std::int64_t lease, Monotonic deadline, ports::Done<ports::LeaseGranted> done) override {
    inner_.renew_lease(lease, deadline, std::move(done));
  }
  void revoke_lease(std::int64_t lease, Monotonic deadline, ports::Done<void> done) override {
    inner_.revoke_lease(lease, deadline, std::move(done));
  }
  void compact(std::int64_t before_revision, Monotonic deadline, ports::Done<void> done) override {
    inner_.compact(before_revision, deadline, std::move(done));
  }
  void stop() override {
    waiting_.clear();
    inner_.stop();
  }

  void status(Monotonic deadline, ports::Done<ports::StoreStatus> done) override {
    inner_.status(deadline, [this, done = std::move(done)](Result<ports::StoreStatus> status) {
      if (!status) return done(std::move(status));
      waiting_.push_back({*status, done});
      answer_those_reached();
    });
  }

  std::unique_ptr<ports::Watch> watch(std::string prefix, std::int64_t from,
                                      std::function<void(ports::WatchBatch const&)> on_batch) override {
    auto const id = ++last_watch_;
    reached_[id] = from - 1;
    auto told = [this, id, on_batch = std::move(on_batch)](ports::WatchBatch const& batch) {
      auto const user = on_batch;  // a copy: it may end the watch
      auto const reached = reached_.find(id);
      CHECK(batch.revision >= reached->second, "a watch went back");
      reached->second = batch.revision;
      bool const is_progress = batch.changes.empty() && !batch.compacted;
      if (batch.compacted) reached_.erase(reached);
      if (!is_progress) user(batch);
      answer_those_reached();
    };
    return std::make_unique<Handle>(*this, id, inner_.watch(std::move(prefix), from, std::move(told)));
  }

 private:
  class Handle final : public ports::Watch {
   public:
    Handle(BarrierStore& store, int id, std::unique_ptr<ports::Watch> inner) : store_(store), id_(id), inner_(std::move(inner)) {}
    Handle(Handle const&) = delete;
    Handle& operator=(Handle const&) = delete;
    ~Handle() override { store_.reached_.erase(id_); }

   private:
    BarrierStore& store_;
    int id_;
    std::unique_ptr<ports::Watch> inner_;
  };
  struct Waiting {
    ports::StoreStatus status;
    ports::Done<ports::StoreStatus> done;
  };

  void answer_those_reached() {
    auto lowest = std::numeric_limits<std::int64_t>::max();
    for (auto const& [id, reached] : reached_) lowest = std::min(lowest, reached);
    std::erase_if(waiting_, [lowest](Waiting const& each) {
      if (each.status.revision > lowest) return false;
      each.done(each.status);
      return true;
    });
  }

  ports::Store& inner_;
  std::map<int, std::int64_t> reached_;
  int last_watch_ = 0;
  std::vector<Waiting> waiting_;
};

class EtcdHarness final : public StoreHarness {
 public:
  explicit EtcdHarness(EtcdCluster& cluster) : user_({.endpoints = cluster.endpoints(), .user = {}, .password = {}, .tls = {}}) {
    StoreClient client(user_);
    for (auto keys = client.keys({.limit = 100}); !keys.empty(); keys = client.keys({.limit = 100})) {
      std::vector<ports::Operation> erasures;
      for (auto const& key : keys) erasures.emplace_back(erase(key));
      CHECK(client.write(std::move(erasures)).has_value());
    }
  }
  ports::Store& store() override { return store_; }
  ports::Loop& loop() override { return user_.loop(); }
  bool run_until(std::function<bool()> const& condition) override { return user_.run_until(condition); }

 private:
  EtcdUser user_;
  BarrierStore store_{user_.store()};
};

}  // namespace

EtcdCluster::Options quick_progress(int members) {
  return {.members = members, .arguments = {"--experimental-watch-progress-notify-interval=100ms"}};
}

EtcdUser::EtcdUser(store_etcd::EtcdStore::Options options) {
  auto store = store_etcd::EtcdStore::open(loop_, std::move(options));
  CHECK(store.has_value(), "{}", store.error().message);
  store_ = *std::move(store);
}

std::unique_ptr<StoreHarness> make_etcd_harness(EtcdCluster& cluster) { return std::make_unique<EtcdHarness>(cluster); }

std::unique_ptr<StoreHarness> make_etcd_harness() {
  static EtcdCluster cluster(quick_progress(1));
  return make_etcd_harness(cluster);
}

std::unique_ptr<StoreHarness> make_three_members_harness() {
  static EtcdCluster cluster(quick_progress(3));
  return make_etcd_harness(cluster);
}

}  // namespace davit::conformance
