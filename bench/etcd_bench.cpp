// The same appends on etcd: `davit_etcd_bench [MEMBERS]` starts so many members (1) on loopback, all on this disk, and prints one line for
// 1, 8 and 128 appends in flight.
#include <charconv>
#include <cstring>

#include "adapters/store_etcd/etcd_store.hpp"
#include "conformance/etcd/etcd_cluster.hpp"
#include "journal_appender.hpp"

namespace davit::bench {
namespace {

bool measure(conformance::EtcdCluster const& cluster, int in_flight) {
  runtime::AsioLoop loop;
  auto const store = store_etcd::EtcdStore::open(loop, {.endpoints = cluster.endpoints(), .user = {}, .password = {}, .tls = {}});
  if (!store) {
    fmt::print(stderr, "{}\n", store.error().message);
    return false;
  }
  measure_appends(loop, **store, in_flight);
  return true;
}

// Also waits until the members serve.
bool erase_everything(conformance::EtcdCluster const& cluster) {
  runtime::AsioLoop loop;
  auto const store = store_etcd::EtcdStore::open(loop, {.endpoints = cluster.endpoints(), .user = {}, .password = {}, .tls = {}});
  bool is_empty = false;
  bool has_failed = false;
  std::function<void()> erase_some = [&] {
    (*store)->range({.limit = 100}, kNever, [&](Result<ports::RangeResult> const& found) {
      has_failed = !found;
      if (!found || found->items.empty()) return void(is_empty = true);
      ports::Commit commit;
      for (auto const& item : found->items) commit.operations.emplace_back(ports::Erase{item.key});
      (*store)->commit(std::move(commit), kNever, [&](Result<ports::Committed> const&) { erase_some(); });
    });
  };
  erase_some();
  return loop.run_until([&] { return is_empty; }, 30s) && !has_failed;
}

}  // namespace
}  // namespace davit::bench

int main(int argc, char** argv) {
  int members = 1;
  if (argc > 1) std::from_chars(argv[1], argv[1] + std::strlen(argv[1]), members);
  davit::conformance::EtcdCluster const cluster({.members = members, .arguments = {}});
  for (int const in_flight : {1, 8, 128})
    if (!davit::bench::erase_everything(cluster) || !davit::bench::measure(cluster, in_flight)) return EXIT_FAILURE;
}
