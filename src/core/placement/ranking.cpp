#include "core/placement/ranking.hpp"

#include <algorithm>

#include "core/placement/score.hpp"

namespace davit::placement {
namespace {

constexpr std::uint32_t kMostCounted = (1U << 20) - 2;  // so that no key is kUnfit
constexpr int kTieBits = 22;

GroupKey group_key(std::uint32_t in_group, Key key) { return key == kUnfit<Key> ? kUnfit<GroupKey> : GroupKey{in_group, key}; }

}  // namespace

Key key_of(std::uint32_t count, std::uint32_t burden, std::uint32_t tie_break) {
  return (Key{std::min(count, kMostCounted)} << kBurdenBits | burden) << kTieBits | tie_break >> (32 - kTieBits);
}

Ranking::Ranking(std::shared_ptr<FeasibleSet const> set, std::vector<Standing> const& standings)
    : set_(std::move(set)),
      group_counts_(set_->groups()) {
  counts_.reserve(standings.size());
  for (std::size_t i = 0; i < standings.size(); ++i) {
    counts_.push_back(standings[i].count);
    group_counts_[set_->group_of[i]] += standings[i].count;
  }
  std::vector<GroupKey> order;
  groups_.reserve(set_->groups());
  for (std::uint32_t group = 0; group < set_->groups(); ++group) {
    std::vector<Key> keys;
    for (auto i = set_->group_begins[group]; i < set_->group_begins[group + 1]; ++i) keys.push_back(standings[i].key);
    groups_.emplace_back(std::move(keys));
    order.push_back(group_key(group_counts_[group], groups_[group].top()));
  }
  order_ = Tournament(std::move(order));
}

void Ranking::update(std::uint32_t position, Standing standing) {
  auto const group = set_->group_of[position];
  group_counts_[group] += standing.count - counts_[position];
  counts_[position] = standing.count;
  groups_[group].set(position - set_->group_begins[group], standing.key);
  order_.set(group, group_key(group_counts_[group], groups_[group].top()));
}

Ranking::Choice Ranking::best_in(std::uint32_t group, std::span<Exception const> exceptions) const {
  auto const begin = set_->group_begins[group];
  auto in_group = group_counts_[group];
  std::vector<std::uint32_t> excluded;
  excluded.reserve(exceptions.size());
  for (auto const& each : exceptions) {
    excluded.push_back(each.position - begin);
    in_group += each.more;
  }
  auto const winner = groups_[group].best(excluded);
  auto best = winner.key;
  auto position = begin + winner.leaf;
  for (auto const& each : exceptions) {
    bool const is_better = each.key != best ? each.key < best : each.position < position;
    if (is_better) best = each.key, position = each.position;
  }
  return {group_key(in_group, best), position};
}

std::optional<NodeIx> Ranking::best(std::span<Exception const> exceptions) const {
  std::vector<std::uint32_t> touched;
  Choice best;
  auto const consider = [&](Choice const& choice) {
    bool const is_better = choice.key != best.key ? choice.key < best.key : choice.position < best.position;
    if (choice.key != kUnfit<GroupKey> && is_better) best = choice;
  };
  for (std::size_t i = 0; i < exceptions.size();) {
    auto const group = set_->group_of[exceptions[i].position];
    auto end = i;
    while (end < exceptions.size() && set_->group_of[exceptions[end].position] == group) ++end;
    consider(best_in(group, exceptions.subspan(i, end - i)));
    touched.push_back(group);
    i = end;
  }
  auto const untouched = order_.best(touched);
  if (untouched.key != kUnfit<GroupKey>) consider(best_in(untouched.leaf, {}));
  if (best.key == kUnfit<GroupKey>) return std::nullopt;
  return set_->nodes[best.position];
}

}  // namespace davit::placement
