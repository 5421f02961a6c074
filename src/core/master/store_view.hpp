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
#include "base/result.hpp"
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
  std::map<std::string, Kept<model::GoneRecord>> gone;
  std::map<std::string, std::map<std::uint32_t, Kept<model::SlotRecord>>> slots;  // by service and slot

  // Takes in what is not of a service's journal; the rest is left to the caller.
  void apply(StoreChange const& change);
  // The node that the key is of, if it is a node's.
  static std::optional<NodeId> node_of(std::string_view key);
  Kept<model::MasterRecord> const* master_of(std::string_view session) const;  // whose session it is, while it lives
};

// Whether a whole reading of the store can be acted on: a head without one of its specs could not, and its instances would look like
// nobody's. Code::Invalid names the service.
Status check_complete(StoreBatch const& everything);

}  // namespace davit::master
