#include "core/cluster/allocation.hpp"

#include <algorithm>
#include <map>
#include <random>

#include <gtest/gtest.h>

namespace davit::cluster {
namespace {

using Owners = std::vector<std::string>;

Owners all_of(std::string const& session) { return Owners(kShards, session); }
Owners granted(Owners owners, std::vector<Grant> const& grants) {
  for (auto const& grant : grants) owners[grant.shard.value] = grant.session;
  return owners;
}
std::map<std::string, std::size_t> counts(Owners const& owners) {
  std::map<std::string, std::size_t> result;
  for (auto const& owner : owners) ++result[owner];
  return result;
}
using Counts = std::map<std::string, std::size_t>;

TEST(Allocation, gives_everything_to_the_only_master) {
  auto const owners = granted(all_of(""), allocate(all_of(""), std::vector<Candidate>{{"a", true}}));
  EXPECT_EQ(counts(owners), (Counts{{"a", 128}}));
}

TEST(Allocation, moves_only_a_share_to_a_newcomer) {
  auto const grants = allocate(all_of("a"), std::vector<Candidate>{{"a", true}, {"b", true}});
  EXPECT_EQ(grants.size(), 64U);
  EXPECT_TRUE(std::ranges::all_of(grants, [](Grant const& grant) { return grant.session == "b"; }));
}

TEST(Allocation, spreads_a_dead_masters_shards_over_the_others) {
  std::vector<Candidate> const three{{"a", true}, {"b", true}, {"c", true}};
  auto const owners = granted(all_of(""), allocate(all_of(""), three));
  EXPECT_EQ(counts(owners), (Counts{{"a", 43}, {"b", 43}, {"c", 42}}));
  std::vector<Candidate> const two{{"a", true}, {"c", true}};
  auto const grants = allocate(owners, two);
  EXPECT_EQ(grants.size(), 43U);
  EXPECT_EQ(counts(granted(owners, grants)), (Counts{{"a", 64}, {"c", 64}}));
}

TEST(Allocation, takes_a_new_session_of_the_same_master_for_another_one) {
  EXPECT_EQ(allocate(all_of("a.1"), std::vector<Candidate>{{"a.2", true}}).size(), kShards);
}

TEST(Allocation, gives_nothing_to_a_master_that_is_not_ready_while_one_is) {
  auto const owners = granted(all_of(""), allocate(all_of(""), std::vector<Candidate>{{"a", true}, {"b", false}}));
  EXPECT_EQ(counts(owners), (Counts{{"a", 128}}));
}

TEST(Allocation, shares_among_all_while_none_is_ready) {
  auto const owners = granted(all_of("gone"), allocate(all_of("gone"), std::vector<Candidate>{{"a", false}, {"b", false}}));
  EXPECT_EQ(counts(owners), (Counts{{"a", 64}, {"b", 64}}));
}

TEST(Allocation, leaves_an_owner_that_is_not_ready_its_even_share) {
  std::vector<Candidate> const live{{"a", false}, {"b", true}};
  EXPECT_EQ(counts(granted(all_of("a"), allocate(all_of("a"), live))), (Counts{{"a", 64}, {"b", 64}}));
}

TEST(Allocation, gives_nothing_back_to_a_master_that_leaves_shard_by_shard) {
  std::vector<Candidate> const live{{"a", false}, {"b", true}, {"c", true}};
  auto owners = granted(all_of(""), allocate(all_of(""), std::vector<Candidate>{{"a", true}, {"b", true}, {"c", true}}));
  while (std::ranges::count(owners, "a") > 0) {
    std::ranges::find(owners, "a")->clear();
    auto const grants = allocate(owners, live);
    ASSERT_EQ(grants.size(), 1U);
    ASSERT_NE(grants.front().session, "a");
    owners = granted(owners, grants);
  }
  EXPECT_EQ(counts(owners), (Counts{{"b", 64}, {"c", 64}}));
}

TEST(Allocation, does_nothing_when_nobody_lives) { EXPECT_TRUE(allocate(all_of("a"), {}).empty()); }

struct Random {
  std::mt19937 engine;
  std::size_t below(std::size_t n) { return engine() % n; }
};

Owners random_owners(Random& random) {
  Owners owners;
  std::size_t const known = 1 + random.below(9);  // fewer names make lopsided owners
  for (int k = 0; k < kShards; ++k) {
    auto const name = random.below(known);
    owners.push_back(name == 0 ? "" : std::string(1, static_cast<char>('a' + name - 1)));
  }
  return owners;
}
std::vector<Candidate> random_masters(Random& random) {
  std::vector<Candidate> live;
  for (char name = 'a'; name <= 'i'; ++name) {
    if (random.below(2) == 0) live.push_back({std::string(1, name), random.below(3) != 0});
  }
  std::ranges::shuffle(live, random.engine);
  return live;
}
// Everyone may keep the even share, and as many of those that hold more as there are shards left over may keep one more.
std::size_t fewest_moves(Counts held, std::vector<Candidate> const& takers) {
  std::size_t const base = kShards / takers.size();
  std::size_t const extra = kShards % takers.size();
  std::size_t kept = 0;
  std::size_t above = 0;
  for (auto const& taker : takers) {
    kept += std::min(held[taker.session], base);
    above += held[taker.session] > base;
  }
  return kShards - (kept + std::min(above, extra));
}

struct Trial {
  Owners owners;
  std::vector<Candidate> live;
  std::vector<Grant> grants{};
  Owners after{};
  bool is_any_ready = false;

  Candidate const* candidate(std::string const& session) const {
    auto const found = std::ranges::find(live, session, &Candidate::session);
    return found == live.end() ? nullptr : &*found;
  }
  bool can_gain(Candidate const& candidate) const { return candidate.is_ready || !is_any_ready; }
};

template <class Check>
void for_random_trials(Check check) {
  for (std::uint32_t seed = 0; seed < 1000; ++seed) {
    Random random{std::mt19937(seed)};
    Trial trial{random_owners(random), random_masters(random)};
    if (trial.live.empty()) continue;
    trial.grants = allocate(trial.owners, trial.live);
    trial.after = granted(trial.owners, trial.grants);
    trial.is_any_ready = std::ranges::any_of(trial.live, &Candidate::is_ready);
    SCOPED_TRACE(seed);
    check(trial);
    if (testing::Test::HasFailure()) return;
  }
}

TEST(Allocation, is_even_whatever_was_before) {
  for_random_trials([](Trial const& trial) {
    auto after = counts(trial.after);
    std::size_t least = kShards;
    std::size_t most = 0;
    for (auto const& candidate : trial.live) {
      if (!trial.can_gain(candidate)) continue;
      least = std::min(least, after[candidate.session]);
      most = std::max(most, after[candidate.session]);
    }
    EXPECT_LE(most - least, 1U);
    for (auto const& candidate : trial.live) EXPECT_LE(after[candidate.session], least + 1);
  });
}

TEST(Allocation, leaves_every_shard_with_a_live_owner_and_grants_only_to_those_that_may_gain) {
  for_random_trials([](Trial const& trial) {
    for (auto const& owner : trial.after) EXPECT_NE(trial.candidate(owner), nullptr) << owner;
    for (auto const& grant : trial.grants) EXPECT_TRUE(trial.can_gain(*trial.candidate(grant.session)));
  });
}

TEST(Allocation, moves_as_few_as_can_be) {
  for_random_trials([](Trial const& trial) {
    auto before = counts(trial.owners);
    auto after = counts(trial.after);
    std::map<std::string, std::size_t> gains;
    for (auto const& grant : trial.grants) {
      EXPECT_NE(trial.owners[grant.shard.value], grant.session);
      ++gains[grant.session];
    }
    for (auto const& [session, gained] : gains) EXPECT_EQ(after[session], before[session] + gained) << session << " gained and lost";
    bool const are_equals = std::ranges::all_of(trial.live, [&](Candidate const& c) { return trial.can_gain(c); });
    if (are_equals) EXPECT_EQ(trial.grants.size(), fewest_moves(before, trial.live));
  });
}

TEST(Allocation, is_stable_and_blind_to_the_order_of_masters) {
  for_random_trials([](Trial const& trial) {
    EXPECT_TRUE(allocate(trial.after, trial.live).empty());
    auto reversed = trial.live;
    std::ranges::reverse(reversed);
    EXPECT_EQ(allocate(trial.owners, reversed), trial.grants);
  });
}

}  // namespace
}  // namespace davit::cluster
