// A store over real etcd members for the suites. Members are shared by all tests that want as many; each test finds them empty.
#pragma once

#include <memory>

#include "adapters/store_etcd/etcd_store.hpp"
#include "conformance/etcd/etcd_cluster.hpp"
#include "conformance/store_harness.hpp"
#include "runtime/asio_loop.hpp"

namespace davit::conformance {

// Watches tell their progress this often, so that a test can wait until all that has happened has been delivered.
EtcdCluster::Options quick_progress(int members);

// What a store's user has: a loop and a store. CHECKs that the options are right.
class EtcdUser : public StoreHarness {
 public:
  explicit EtcdUser(store_etcd::EtcdStore::Options options);
  ports::Store& store() override { return *store_; }
  ports::Loop& loop() override { return loop_; }
  bool run_until(std::function<bool()> const& condition) override { return loop_.run_until(condition, kPatience); }

 private:
  runtime::AsioLoop loop_;
  std::unique_ptr<store_etcd::EtcdStore> store_;
};

std::unique_ptr<StoreHarness> make_etcd_harness(EtcdCluster& cluster);
std::unique_ptr<StoreHarness> make_etcd_harness();  // one member
std::unique_ptr<StoreHarness> make_three_members_harness();

}  // namespace davit::conformance
