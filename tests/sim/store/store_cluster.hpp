// A cluster of stores as etcd is one: the data is one linearizable MemoryKv, but a call gets to it only through a member that reaches the
// leader, and the leader only while it reaches most members. Consensus itself is not played: what clients see of it is.
//
// While there is no leader calls hang and no lease ends; the next leader gives every lease its whole time again, or, as a fault, loses
// some. Owned by the cluster.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "sim/memory_kv.hpp"
#include "sim/net/delays.hpp"
#include "sim/net/directory.hpp"
#include "sim/observer.hpp"
#include "sim/store/store_member.hpp"

namespace davit::sim {

class StoreCluster {
 public:
  StoreCluster(Network& network, Directory& directory, Random random, Observer& observer, std::size_t members);
  ~StoreCluster();
  StoreCluster(StoreCluster const&) = delete;
  StoreCluster& operator=(StoreCluster const&) = delete;

  MemoryKv& data() { return data_; }
  std::vector<std::unique_ptr<StoreMember>>& members() { return members_; }
  static std::string address(std::size_t member);
  VirtualLoop& loop() { return network_.loop(); }

  Result<ports::Committed> commit(ports::Commit const& commit);

  // ---- faults
  void change_leader(bool loses_leases);
  void lose_lease();  // any one, before its time
  // While it is: one commit in some is answered late or never, done or not.
  void set_flaky(bool flaky) { flaky_ += flaky ? 1 : -1; }
  // As etcd when its quota is reached: it writes what goes beyond it, says that it is full all the same, and takes no more.
  void set_full(bool is_full);
  bool is_flaky() const { return flaky_ > 0; }
  void review();  // a member or a link has changed

  // ---- for members
  bool serves(StoreMember const& member) const;
  bool hears_leader(StoreMember const& member) const;
  Duration consensus_delay();
  struct Trouble {
    bool is_done = true;
    bool is_answered = true;
    Duration late{};
  };
  Trouble next_trouble(bool is_write);
  Random& random() { return random_; }
  Delays& delays() { return delays_; }
  Network& network() { return network_; }

 private:
  bool reaches_most(StoreMember const& member) const;
  void begin_election();
  void elect();

  Network& network_;
  Random random_;
  Observer& observer_;
  Delays delays_;
  MemoryKv data_;
  bool takes_one_more_ = false;
  std::vector<std::unique_ptr<StoreMember>> members_;
  std::optional<std::size_t> leader_ = 0;
  std::unique_ptr<ports::Timer> election_;
  bool loses_leases_ = false;
  int flaky_ = 0;
  std::uint64_t subscription_ = 0;
};

}  // namespace davit::sim
