// ports::Store for one process over the network: calls go to a member until one is not answered in time, then to the next; a watch goes on
// at another member where its own breaks or stands still. What becomes of a write whose answer does not come is unknown.
// Owned by the process whose loop it runs on.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ports/store.hpp"
#include "sim/net/dialler.hpp"
#include "sim/store/store_cluster.hpp"

namespace davit::sim {

class RemoteStore final : public ports::Store {
 public:
  RemoteStore(Place place, StoreCluster& cluster);
  ~RemoteStore() override;
  RemoteStore(RemoteStore const&) = delete;
  RemoteStore& operator=(RemoteStore const&) = delete;

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

 private:
  using CallId = std::uint64_t;
  struct Call {
    StoreRequest request;
    std::function<void(Code, std::string)> give_up;
    std::unique_ptr<ports::Timer> deadline;
    NodeId sent_to;  // none: waits for a connection
  };
  struct Subscription {
    std::string prefix;
    std::int64_t next = 0;
    std::function<void(ports::WatchBatch const&)> on_batch;
    NodeId member;  // none: waits for a connection
    std::shared_ptr<WatchStream> stream;
    std::optional<Monotonic> behind_since;
    bool is_ended = false;
  };
  class Handle;

  template <class T, class Perform>
  void call(bool is_write, Monotonic deadline, ports::Done<T> done, Perform perform);
  void send(CallId id, Call& call);
  void on_deadline(CallId id);
  void on_joined(NodeId member);
  void on_left(NodeId member);
  NodeId choose(NodeId rather_not) const;
  void open(Subscription& subscription, NodeId rather_not);
  void on_batch(std::weak_ptr<Subscription> const& which, ports::WatchBatch const& batch);
  void notice(std::int64_t revision);

  Place place_;
  StoreCluster& cluster_;
  Dialler dialler_;
  NodeId current_;
  std::map<CallId, Call> calls_;
  CallId last_call_ = 0;
  std::int64_t seen_ = 0;  // the newest revision that an answer has shown
  std::vector<std::shared_ptr<Subscription>> subscriptions_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace davit::sim
