#include "core/master/store_view.hpp"

#include <charconv>
#include <set>

#include <fmt/core.h>

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

}  // namespace

void StoreView::apply(StoreChange const& change) {
  std::string_view const key = change.key;
  if (key == model::cluster_key()) keep(cluster, change);
  else if (key == model::coordinator_key()) keep(coordinator, change);
  else if (key == model::suspects_key()) keep(suspects, change);
  else if (key.starts_with(model::kMastersPrefix)) keep(masters, model::kMastersPrefix, change);
  else if (key.starts_with(model::kNodesPrefix)) keep(nodes, model::kNodesPrefix, change);
  else if (key.starts_with(model::kSeenPrefix)) keep(seen, model::kSeenPrefix, change);
  else if (key.starts_with(model::kShardsPrefix)) {
    std::size_t shard = kShards;
    auto const number = key.substr(model::kShardsPrefix.size());
    std::from_chars(number.data(), number.data() + number.size(), shard);
    if (shard < kShards) keep(shards[shard], change);
  } else if (auto const slot = model::slot_of(key)) {
    if (change.record) keep(slots[slot->first][slot->second], change);
    else if (auto const known = slots.find(slot->first); known != slots.end()) {
      known->second.erase(slot->second);
      if (known->second.empty()) slots.erase(known);
    }
  } else if (change.record && std::holds_alternative<model::GoneRecord>(*change.record)) {
    keep(gone[std::get<model::GoneRecord>(*change.record).service], change);
  } else if (!change.record && key.ends_with("/gone")) {
    auto const service = key.substr(0, key.size() - 5);
    gone.erase(std::string(service.substr(service.rfind('/') + 1)));
  }
}

std::optional<NodeId> StoreView::node_of(std::string_view key) {
  if (!key.starts_with(model::kNodesPrefix)) return std::nullopt;
  auto const id = parse_id<NodeId>(key.substr(model::kNodesPrefix.size()));
  return id ? std::optional(*id) : std::nullopt;
}

Status check_complete(StoreBatch const& everything) {
  std::set<std::pair<std::string, std::uint32_t>> specs;
  for (auto const& change : everything.changes) {
    if (auto const* spec = std::get_if<model::SpecRecord>(&*change.record)) specs.emplace(spec->service, spec->revision);
  }
  for (auto const& change : everything.changes) {
    auto const* record = std::get_if<model::HeadRecord>(&*change.record);
    if (!record) continue;
    for (auto const& [revision, content] : record->head.revisions) {
      if (!specs.contains({record->head.name, revision}))
        return fail(Code::Invalid, fmt::format("the store holds no spec of revision {} of service '{}'", revision, record->head.name));
    }
  }
  return {};
}

Kept<model::MasterRecord> const* StoreView::master_of(std::string_view session) const {
  for (auto const& [id, master] : masters) {
    if (master.record.session == session) return &master;
  }
  return nullptr;
}

}  // namespace davit::master
