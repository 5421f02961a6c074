#include "sim/rules/downing_rule.hpp"

#include <algorithm>
#include <vector>

#include <fmt/core.h>

#include "codec/records.hpp"

namespace davit::sim {
namespace {

constexpr Duration kLately = 55s;  // a minute by the coordinator's clock, from when it saw it

bool is_held_back(cluster::DowningPolicy policy, std::size_t unreachable, std::size_t workers, std::size_t up) {
  using enum cluster::DowningPolicy::Kind;
  switch (policy.kind) {
    case Majority: return unreachable * 2 > workers;
    case Quorum: return up < policy.quorum;
    case Never: return true;
    case Any: return false;
  }
  return false;
}

}  // namespace

void DowningRule::on_committed(ports::Commit const& commit, ports::Committed const& committed) {
  std::vector<model::NodeLife> downed;
  std::optional<model::SuspectsRecord> suspects;
  for (auto const& operation : commit.operations) {
    auto const* put = std::get_if<ports::Put>(&operation);
    if (auto const* erase = std::get_if<ports::Erase>(&operation))
      std::erase_if(nodes_, [&](auto const& each) { return model::node_key(each.first) == erase->key; });
    auto const record = put ? codec::decode_record(put->key, put->value) : fail(Code::NotFound, "");
    if (!record) continue;
    if (auto const* written = std::get_if<model::SuspectsRecord>(&*record)) suspects = *written;
    auto const* node = std::get_if<model::NodeRecord>(&*record);
    if (!node) continue;
    bool const was_down = nodes_.contains(node->id) && nodes_[node->id].status == model::NodeStatus::Down;
    nodes_[node->id] = *node;
    if (node->status == model::NodeStatus::Down && !was_down) downed.push_back({node->id, node->incarnation});
  }
  for (auto const& life : downed) downed_at_[life.node] = loop_.now().monotonic;
  // By hand it is decided whatever is held back, and on no suspicion.
  bool const is_judged = std::ranges::any_of(commit.compares, [](auto const& each) { return each.key == model::suspects_key(); });
  for (auto const& life : downed) {
    check_witnesses(life);
    if (is_judged) check_policy(life.node);
  }
  if (!suspects) return;
  if (suspects->round != suspects_.round) suspected_in_ = committed.revision;
  suspects_ = *std::move(suspects);
}

void DowningRule::check_witnesses(model::NodeLife down) {
  findings_.checked();
  auto const& data = cluster_->store().data();
  std::map<NodeId, std::string> sessions;
  auto const masters = data.range({.prefix = std::string(model::kMastersPrefix)});
  for (auto const& item : masters->items) {
    auto const record = codec::decode_record(item.key, item.value);
    auto const& master = std::get<model::MasterRecord>(*record);
    if (item.create_revision < suspected_in_) sessions[master.id] = master.session;
  }
  auto const all = data.range({.prefix = std::string(model::kSeenPrefix)});
  for (auto const& item : all->items) {
    auto const record = codec::decode_record(item.key, item.value);
    auto const& seen = std::get<model::SeenRecord>(*record);
    bool const counts = sessions.contains(seen.master) && sessions[seen.master] == seen.session && seen.round == suspects_.round;
    if (counts && seen.counts && std::ranges::find(seen.heard, down) != seen.heard.end())
      findings_.add("downing", fmt::format("node {} is declared down, though master {} hears it", down.node.value, seen.master.value));
  }
}

void DowningRule::check_policy(NodeId down) {
  findings_.checked();
  auto const unreachable = static_cast<std::size_t>(std::ranges::count_if(nodes_, [&](auto const& each) {
    auto const& [id, node] = each;
    if (node.status == model::NodeStatus::Unreachable) return true;
    return node.status == model::NodeStatus::Down && loop_.now().monotonic - downed_at_[id] < kLately;
  }));
  auto const up =
      static_cast<std::size_t>(std::ranges::count_if(nodes_, [](auto const& each) { return each.second.status == model::NodeStatus::Up; }));
  if (is_held_back(cluster_->downing(), unreachable, nodes_.size(), up))
    findings_.add("downing", fmt::format("node {} is declared down, though {} of {} workers are unreachable, under {}", down.value,
                                         unreachable, nodes_.size(), cluster::to_string(cluster_->downing())));
}

}  // namespace davit::sim
