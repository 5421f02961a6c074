#include "core/master/store_view.hpp"

#include <charconv>

namespace davit::master {
namespace {

template <class R>
void keep(Kept<R>& into, StoreChange const& change) {
  if (change.record) into = {std::get<R>(*change.record), change.create_revision, change.mod_revision};
  else into = {};
}

template <class R>
void keep(std::map<NodeId, Kept<R>>& into, std::string_view prefix, StoreChange const& change) {
  auto const id = parse_id<NodeId>(std::string_view(change.key).substr(prefix.size()));
  if (!id) return;
  if (change.record) keep(into[*id], change);
  else into.erase(*id);
}

std::string prefix_of(std::string key) { return key.substr(0, key.rfind('/') + 1); }

}  // namespace

void StoreView::apply(StoreChange const& change) {
  static auto const kShardsPrefix = prefix_of(model::shard_key({}));
  static auto const kMastersPrefix = prefix_of(model::master_key({}));
  static auto const kSeenPrefix = prefix_of(model::seen_key({}));
  std::string_view const key = change.key;
  if (key == model::cluster_key()) keep(cluster, change);
  else if (key == model::coordinator_key()) keep(coordinator, change);
  else if (key == model::suspects_key()) keep(suspects, change);
  else if (key.starts_with(kMastersPrefix)) keep(masters, kMastersPrefix, change);
  else if (key.starts_with(model::kNodesPrefix)) keep(nodes, model::kNodesPrefix, change);
  else if (key.starts_with(kSeenPrefix)) keep(seen, kSeenPrefix, change);
  else if (key.starts_with(kShardsPrefix)) {
    std::size_t shard = kShards;
    auto const number = key.substr(kShardsPrefix.size());
    std::from_chars(number.data(), number.data() + number.size(), shard);
    if (shard < kShards) keep(shards[shard], change);
  } else if (change.record && std::holds_alternative<model::GoneRecord>(*change.record)) {
    auto const& record = std::get<model::GoneRecord>(*change.record);
    gone[record.service] = record;
  } else if (!change.record && key.ends_with("/gone")) {
    auto const service = key.substr(0, key.size() - 5);
    gone.erase(std::string(service.substr(service.rfind('/') + 1)));
  }
}

Kept<model::MasterRecord> const* StoreView::master_of(std::string_view session) const {
  for (auto const& [id, master] : masters) {
    if (master.record.session == session) return &master;
  }
  return nullptr;
}

}  // namespace davit::master
