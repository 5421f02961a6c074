#include "core/placement/tally.hpp"

#include <gtest/gtest.h>

#include <map>

#include "base/ids.hpp"

namespace davit::placement {
namespace {

using model::NodeIx;

// Through the list, the array and back, in an order that is none.
TEST(Tally, counts_as_a_map_does) {
  constexpr std::uint32_t kNodes = 700;
  Tally tally;
  std::map<std::uint32_t, std::uint32_t> expected;
  std::vector<std::uint32_t> placed;
  auto const agree = [&] {
    ASSERT_EQ(tally.size(), expected.size());
    for (std::uint32_t i = 0; i < kNodes + 1; ++i) ASSERT_EQ(tally.at(NodeIx(i)), expected.contains(i) ? expected[i] : 0) << i;
  };
  for (int i = 0; i < 3000; ++i) {
    auto const node = static_cast<std::uint32_t>(stable_hash(std::to_string(i)) % kNodes);
    tally.add(NodeIx(node));
    ++expected[node];
    placed.push_back(node);
    if (i % 100 == 0) agree();
  }
  EXPECT_GT(tally.size(), Tally::kMostListed);
  while (!placed.empty()) {
    auto const at = stable_hash(std::to_string(placed.size())) % placed.size();
    auto const node = placed[at];
    placed.erase(placed.begin() + static_cast<std::ptrdiff_t>(at));
    tally.remove(NodeIx(node));
    if (--expected[node] == 0) expected.erase(node);
    if (placed.size() % 100 == 0) agree();
  }
  EXPECT_TRUE(tally.entries().empty());
}

TEST(Tally, lists_few_nodes_in_order) {
  Tally tally;
  for (auto const node : {5U, 1U, 5U, 9U}) tally.add(NodeIx(node));
  ASSERT_EQ(tally.entries().size(), 3U);
  EXPECT_EQ(tally.entries()[0], (Tally::Entry{NodeIx(1), 1}));
  EXPECT_EQ(tally.entries()[1], (Tally::Entry{NodeIx(5), 2}));
  EXPECT_EQ(tally.entries()[2], (Tally::Entry{NodeIx(9), 1}));
}

}  // namespace
}  // namespace davit::placement
