#include "core/service/instances.hpp"

#include <algorithm>
#include <random>

#include <gmock/gmock.h>

namespace davit::service {
namespace {

using Key = std::pair<std::uint32_t, std::uint64_t>;

Instance instance(Key key) {
  Instance made;
  made.slot = key.first;
  made.id = {key.second};
  return made;
}
Key key_of(Instance const& instance) { return {instance.slot, instance.id.value}; }

std::vector<Key> keys(auto const& all) {
  std::vector<Key> keys;
  for (Instance const& each : all) keys.push_back(key_of(each));
  return keys;
}

TEST(Instances, are_like_a_sorted_list_whatever_comes_and_goes) {
  std::mt19937_64 random(1);
  Instances all;
  std::vector<Key> expected;
  // It grows to some blocks, then shrinks to nothing.
  for (int round = 0; round < 6000; ++round) {
    auto const wants_more = random() % 10 < (round < 3000 ? 8 : 2);
    if (wants_more || expected.empty()) {
      Key const key{static_cast<std::uint32_t>(1 + random() % 700), random() % 1'000'000};
      auto const at = std::ranges::lower_bound(expected, key);
      if (at != expected.end() && *at == key) continue;
      expected.insert(at, key);
      EXPECT_EQ(key_of(all.insert(instance(key))), key);
    } else {
      auto const at = expected.begin() + static_cast<std::ptrdiff_t>(random() % expected.size());
      auto const* const found = all.find(at->first, {at->second});
      ASSERT_TRUE(found);
      all.erase(*found);
      EXPECT_FALSE(all.find(at->first, {at->second}));
      expected.erase(at);
    }
    ASSERT_EQ(all.size(), expected.size());
    if (round % 100 == 0) ASSERT_EQ(keys(all), expected);
  }
  while (!expected.empty()) {
    all.erase(*all.find(expected.back().first, {expected.back().second}));
    expected.pop_back();
    ASSERT_EQ(all.empty(), expected.empty());
    ASSERT_EQ(all.begin() == all.end(), expected.empty());
  }
}

TEST(Instances, finds_by_slot) {
  Instances all;
  for (std::uint32_t slot = 1; slot <= 3 * Instances::kMostInBlock; ++slot) all.insert(instance({slot, 5}));
  all.insert(instance({Instances::kMostInBlock, 9}));
  EXPECT_THAT(keys(all.of_slot(Instances::kMostInBlock)), testing::ElementsAre(Key{256, 5}, Key{256, 9}));
  EXPECT_THAT(keys(all.of_slot(3 * Instances::kMostInBlock)), testing::ElementsAre(Key{768, 5}));
  EXPECT_TRUE(all.of_slot(0).empty());
  EXPECT_TRUE(all.of_slot(3 * Instances::kMostInBlock + 1).empty());
  EXPECT_EQ(key_of(*all.lower_bound(7, {6})), Key(8, 5));
  EXPECT_EQ(key_of(all.at(300)), Key(300, 5));
  EXPECT_EQ(all.size(), 3 * Instances::kMostInBlock + 1);
}

TEST(Instances, refers_to_each_in_order) {
  Instances all;
  for (std::uint64_t i = 1; i <= 1000; ++i) all.insert(instance({static_cast<std::uint32_t>(i * 7919 % 1009), i}));
  std::vector<Key> referred;
  for (auto const* each : InstanceRefs(all)) referred.push_back(key_of(*each));
  EXPECT_EQ(referred, keys(all));
  EXPECT_TRUE(std::ranges::is_sorted(referred));
}

}  // namespace
}  // namespace davit::service
