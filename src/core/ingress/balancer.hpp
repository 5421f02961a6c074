// Which instance gets the next connection of one ingress port: on this node before elsewhere, the fewest connections first, in turn where
// they are equal. One that has refused a connection is the last choice for a short while. Owned by whoever carries the connections; pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "core/ingress/listeners.hpp"

namespace davit::ingress {

class Balancer {
 public:
  static constexpr Duration kRestAfterRefusal = std::chrono::seconds(2);

  // Supersedes the earlier ones. One that has gone gets no new connection; those that it has are counted until they end.
  void set(std::vector<Backend> const& backends);

  // None of `tried`, which this connection was refused by; none: there is no other. The choice counts as a connection until release().
  std::optional<Backend> choose(std::set<InstanceId> const& tried, Monotonic now);
  void release(InstanceId instance);
  void refused(InstanceId instance, Monotonic now);

  bool is_listed(InstanceId instance) const;
  std::size_t connections(InstanceId instance) const;
  std::size_t connections() const { return total_; }

 private:
  struct Entry {
    Backend backend;
    bool is_listed = true;
    std::size_t connections = 0;
    std::uint64_t last_turn = 0;
    Monotonic rests_until = Monotonic::min();  // then it is in rests_, else min()
  };
  // A rest only puts an instance behind the others: where all rest, to try one of them is better than to give up.
  using Rank = std::tuple<bool, bool, std::size_t, std::uint64_t, InstanceId>;  // rests, is elsewhere, connections, last turn
  static Rank rank_of(Entry const& entry);
  // Every change of an entry: its place in the order goes with it.
  template <class Change>
  void change(Entry& entry, Change const& apply);
  void end_rest(Entry& entry);

  std::map<InstanceId, Entry> entries_;  // those that are listed or have connections
  std::set<Rank> order_;                 // those that are listed
  std::set<std::pair<Monotonic, InstanceId>> rests_;
  std::size_t total_ = 0;
  std::uint64_t turns_ = 0;
};

}  // namespace davit::ingress
