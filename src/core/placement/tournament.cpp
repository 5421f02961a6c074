#include "core/placement/tournament.hpp"

#include <algorithm>

#include "core/placement/ranking.hpp"

namespace davit::placement {

template <class K>
Tournament<K>::Tournament(std::vector<K> leaves) {
  auto const padded = [](std::size_t size) { return size <= 1 ? 1 : (size + kFanOut - 1) / kFanOut * kFanOut; };
  leaves.resize(padded(leaves.size()), kUnfit<K>);
  levels_.push_back(std::move(leaves));
  while (levels_.back().size() > 1) {
    auto const level = levels_.size();
    std::size_t const width = levels_.back().size() / kFanOut;
    std::vector<K> above(padded(width), kUnfit<K>);
    for (std::size_t i = 0; i < width; ++i) above[i] = smallest_child(level, i);
    levels_.push_back(std::move(above));
  }
}

template <class K>
K Tournament<K>::smallest_child(std::size_t level, std::size_t index) const {
  auto const* const child = &levels_[level - 1][index * kFanOut];
  auto smallest = child[0];
  for (std::size_t i = 1; i < kFanOut; ++i) smallest = std::min(smallest, child[i]);
  return smallest;
}

template <class K>
void Tournament<K>::set(std::uint32_t leaf, K key) {
  if (levels_.front()[leaf] == key) return;
  levels_.front()[leaf] = key;
  std::size_t index = leaf;
  for (std::size_t level = 1; level < levels_.size(); ++level) {
    index >>= kLogFanOut;
    auto const smallest = smallest_child(level, index);
    if (levels_[level][index] == smallest) return;
    levels_[level][index] = smallest;
  }
}

// Without a branch, since which child it is cannot be foreseen.
template <class K>
std::uint32_t Tournament<K>::first_with(K key, K const* children) {
  std::uint32_t first = kFanOut - 1;
  for (std::uint32_t i = kFanOut - 1; i-- > 0;) first = children[i] == key ? i : first;
  return first;
}

template <class K>
Tournament<K>::Winner Tournament<K>::descend(std::size_t level, std::uint32_t index) const {
  auto const key = levels_[level][index];
  if (key == kUnfit<K>) return {};
  while (level > 0) {
    --level;
    index <<= kLogFanOut;
    index += first_with(key, &levels_[level][index]);
  }
  return {key, index};
}

template <class K>
Tournament<K>::Winner Tournament<K>::best_below(std::size_t level, std::uint32_t index, std::span<std::uint32_t const> excluded) const {
  if (excluded.empty()) return descend(level, index);
  if (level == 0) return {};
  Winner best;
  for (std::uint32_t child = index << kLogFanOut; child < (index + 1) << kLogFanOut; ++child) {
    auto const end = std::uint64_t{child + 1} << (kLogFanOut * (level - 1));
    auto const here = static_cast<std::size_t>(std::ranges::lower_bound(excluded, end) - excluded.begin());
    auto const mine = excluded.first(here);
    excluded = excluded.subspan(here);
    if (!(levels_[level - 1][child] < best.key)) continue;
    auto const winner = best_below(level - 1, child, mine);
    if (winner.key < best.key) best = winner;
  }
  return best;
}

template class Tournament<Key>;
template class Tournament<GroupKey>;

}  // namespace davit::placement
