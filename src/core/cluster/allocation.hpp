// Who gets which shard (protocol.md §4): even counts, fewest moves. Pure: the same owners and masters give the same grants.
//
// - A shard whose owner's session is gone goes to a ready master; so does one that nobody holds.
// - Ready masters share evenly: no two of them differ by more than one, and nobody is moved without need.
// - A live owner that is not ready (it was granted shards while nobody was ready, or it is leaving) keeps what it has up to its even share
// and
//   gets nothing: to take all would move them twice, as it will be ready within 30 s, and to leave it all would leave the ready ones idle.
// - If no live master is ready, all share evenly: a shard served late is better than one not served.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/ids.hpp"

namespace davit::cluster {

struct Candidate {
  std::string session;
  bool is_ready = false;
};

struct Grant {
  ShardId shard;
  std::string session;
  friend bool operator==(Grant const&, Grant const&) = default;
};

// `owners[k]`: the session that shard k was granted to, alive or not; empty: none. `live`: the masters whose keys stand, in any order.
// Grants come in the order of shards; none if nobody lives or nothing is to change.
std::vector<Grant> allocate(std::span<std::string const> owners, std::span<Candidate const> live);

}  // namespace davit::cluster
