// The store as one ordered watch shows it, but for the services, whose heads the Master keeps with their instances.
// Owned by the Master; plain data. Every write compares what stands here, so that a decision on an old view changes nothing.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "model/records.hpp"

namespace davit::master {

struct StoreChange {
  std::string key;
  std::optional<model::Record> record;  // absent: erased
  std::int64_t create_revision = 0;
  std::int64_t mod_revision = 0;
};
// One revision's changes, or everything at one revision.
struct StoreBatch {
  std::int64_t revision = 0;
  std::vector<StoreChange> changes;
};

// A record with the numbers that a write may compare; zero: the key is absent.
template <class R>
struct Kept {
  R record;
  std::int64_t create_revision = 0;
  std::int64_t mod_revision = 0;
};

struct StoreView {
  std::int64_t revision = 0;
  Kept<model::ClusterRecord> cluster;
  std::array<Kept<model::ShardRecord>, kShards> shards;
  std::map<NodeId, Kept<model::MasterRecord>> masters;
  Kept<model::CoordinatorRecord> coordinator;
  std::map<NodeId, Kept<model::NodeRecord>> nodes;
  Kept<model::SuspectsRecord> suspects;
  std::map<NodeId, Kept<model::SeenRecord>> seen;
  std::map<std::string, model::GoneRecord> gone;

  // Takes in what is not of a service's journal; the rest is left to the caller.
  void apply(StoreChange const& change);
  Kept<model::MasterRecord> const* master_of(std::string_view session) const;  // whose session it is, while it lives
};

}  // namespace davit::master
