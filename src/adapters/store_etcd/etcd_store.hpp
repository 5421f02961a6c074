// The store of a cluster: ports::Store over an etcd cluster (3.4 or later). Owned by the app for the process's life; control thread.
// docs/adr/0014 says what is etcd's, what is decided here, and what etcd has to be set up for.
//
// A commit may end with Code::UnknownOutcome before its deadline: when its connection breaks, or
// no answer comes for `try_limit`; sent again, it goes to another member.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ports/loop.hpp"
#include "ports/store.hpp"

namespace davit::store_etcd {

class EtcdStore final : public ports::Store {
 public:
  // PEM files. Without `ca` the system's authorities hold; certificate and key go together.
  struct Tls {
    std::filesystem::path ca;
    std::filesystem::path certificate;
    std::filesystem::path key;
  };
  struct Options {
    // "host:port", or a URL with http or https, which implies TLS. Asked in this order: let each master begin with another one.
    std::vector<std::string> endpoints;
    std::string user;  // "": no authentication
    std::string password;
    std::optional<Tls> tls;
    std::int64_t quota_bytes =
        std::int64_t{2} << 30;  // what etcd was started with, where it does not tell (before 3.6); this is its default
    Duration try_limit = 2s;                           // for the first try of a call at one member
  };

  // Refuses what can be seen to be wrong here; whether etcd answers, the first call tells.
  static Result<std::unique_ptr<EtcdStore>> open(ports::Loop& loop, Options options);
  EtcdStore(EtcdStore const&) = delete;
  EtcdStore& operator=(EtcdStore const&) = delete;
  ~EtcdStore() override;

  void commit(ports::Commit commit, Monotonic deadline, ports::Done<ports::Committed> done) override;
  void range(ports::Range range, Monotonic deadline, ports::Done<ports::RangeResult> done) override;
  std::unique_ptr<ports::Watch> watch(std::string prefix, std::int64_t from,
                                      std::function<void(ports::WatchBatch const&)> on_batch) override;
  void grant_lease(Duration ttl, Monotonic deadline, ports::Done<ports::LeaseGranted> done) override;
  void renew_lease(std::int64_t lease, Monotonic deadline, ports::Done<ports::LeaseGranted> done) override;
  void revoke_lease(std::int64_t lease, Monotonic deadline, ports::Done<void> done) override;
  void compact(std::int64_t before_revision, Monotonic deadline, ports::Done<void> done) override;
  void status(Monotonic deadline, ports::Done<ports::StoreStatus> done) override;  // of the member that is asked
  // Waits for gRPC's thread, which gives up what is under way. Calls without an answer get none.
  void stop() override;

 private:
  struct Impl;
  explicit EtcdStore(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;  // none after stop()
};

}  // namespace davit::store_etcd
