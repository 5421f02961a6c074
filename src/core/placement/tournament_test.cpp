#include "core/placement/tournament.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/ids.hpp"
#include "core/placement/ranking.hpp"

namespace davit::placement {
namespace {

// The obvious way.
template <class K>
typename Tournament<K>::Winner scan(std::vector<K> const& keys, std::vector<std::uint32_t> const& excluded) {
  typename Tournament<K>::Winner best;
  for (std::uint32_t i = 0; i < keys.size(); ++i) {
    bool const is_out = std::ranges::find(excluded, i) != excluded.end();
    if (!is_out && keys[i] < best.key) best = {keys[i], i};
  }
  return best;
}

std::uint64_t noise(std::uint64_t i) { return stable_hash(std::to_string(i)); }

class TournamentOf : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Sizes, TournamentOf, testing::Values(0, 1, 2, 7, 8, 9, 63, 64, 65, 500, 513));

TEST_P(TournamentOf, has_the_winner_of_a_scan_after_every_change) {
  std::vector<GroupKey> keys;
  for (std::size_t i = 0; i < GetParam(); ++i) keys.push_back({noise(i) % 3, noise(i) % 7});
  Tournament tournament(keys);
  for (std::uint64_t round = 0; round < 200; ++round) {
    std::vector<std::uint32_t> excluded;
    for (std::uint32_t i = 0; i < keys.size(); ++i) {
      if (noise(round * 1000 + i) % (1 + round % 5) == 1) excluded.push_back(i);
    }
    auto const expected = scan(keys, excluded);
    auto const winner = tournament.best(excluded);
    ASSERT_EQ(winner.key, expected.key) << round;
    if (expected.key != kUnfit<GroupKey>) ASSERT_EQ(winner.leaf, expected.leaf) << round;
    if (keys.empty()) return;
    auto const changed = static_cast<std::uint32_t>(noise(round) % keys.size());
    keys[changed] = noise(round) % 4 == 0 ? kUnfit<GroupKey> : GroupKey{noise(round) % 3, noise(round + 7) % 7};
    tournament.set(changed, keys[changed]);
    ASSERT_EQ(tournament.top(), scan(keys, {}).key) << round;
  }
}

}  // namespace
}  // namespace davit::placement
