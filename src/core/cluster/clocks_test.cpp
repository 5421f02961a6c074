#include "core/cluster/clocks.hpp"

#include <gtest/gtest.h>

namespace davit::cluster {
namespace {

constexpr Now kNow{.monotonic = Monotonic(1000s), .wall = Wall(1'800'000'000s)};

struct Case {
  Duration their_offset;  // their clock, less ours, when the beat came
  Duration since_stamp;
  Duration expected;
};

TEST(Clocks, claims_only_what_the_way_of_a_beat_proves) {
  for (auto const& c : {
           Case{0s, 0s, 0s},
           Case{2s, 1s, 2s},          // no way makes a clock show what is still to come
           Case{3600s, 1s, 3600s},
           Case{-1s, 1s, 0s},         // it may have been on its way since the stamp
           Case{-2500ms, 3s, 0s},
           Case{-3s, 1s, -2s},
           Case{-3600s, 1s, -3599s},
       }) {
    auto const theirs = kNow.wall + std::chrono::duration_cast<std::chrono::milliseconds>(c.their_offset);
    EXPECT_EQ(clock_difference(theirs, kNow, kNow.monotonic - c.since_stamp), c.expected) << format_duration(c.their_offset);
  }
}

TEST(Clocks, agree_within_five_seconds) {
  for (auto const difference : {0s, 5s, -5s}) EXPECT_TRUE(do_clocks_agree(difference));
  for (auto const difference : {6s, -6s, 3600s}) EXPECT_FALSE(do_clocks_agree(difference));
}

}  // namespace
}  // namespace davit::cluster
