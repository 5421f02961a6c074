#include "core/cluster/policy.hpp"

#include <gtest/gtest.h>

namespace davit::cluster {
namespace {

TEST(DowningPolicy, reads_what_it_prints) {
  for (auto const* text : {"majority", "quorum:1", "quorum:300", "never", "any"}) {
    auto const policy = parse_downing_policy(text);
    ASSERT_TRUE(policy) << text;
    EXPECT_EQ(to_string(*policy), text);
  }
  EXPECT_EQ(to_string(DowningPolicy{}), "majority");
}

TEST(DowningPolicy, refuses_everything_else) {
  for (auto const* text : {"", "Majority", "quorum", "quorum:", "quorum:0", "quorum:-1", "quorum:3x", "quorum:99999999999", "half"}) {
    auto const policy = parse_downing_policy(text);
    ASSERT_FALSE(policy) << text;
    EXPECT_EQ(policy.error().code, Code::Invalid);
    EXPECT_NE(policy.error().message.find(text), std::string::npos);
  }
}

struct Case {
  char const* policy;
  std::size_t unreachable;
  std::size_t workers;
  std::size_t reachable;
  bool holds;
};

TEST(DowningPolicy, holds_as_the_table_says) {
  for (auto const& c : {
           Case{"majority", 0, 4, 4, false},
           Case{"majority", 1, 2, 1, false},
           Case{"majority", 2, 4, 2, false},
           Case{"majority", 3, 4, 1, true},
           Case{"majority", 2, 3, 1, true},
           Case{"majority", 1, 1, 0, true},
           Case{"quorum:2", 2, 4, 2, false},
           Case{"quorum:2", 3, 4, 1, true},
           Case{"quorum:5", 1, 4, 3, true},
           Case{"quorum:5", 0, 4, 4, false},
           Case{"quorum:3", 1, 5, 2, true},
           Case{"never", 1, 9, 8, true},
           Case{"never", 0, 9, 9, false},
           Case{"any", 9, 9, 0, false},
       }) {
    auto const reason = hold_reason(*parse_downing_policy(c.policy), {c.unreachable, c.workers, c.reachable});
    EXPECT_EQ(!reason.empty(), c.holds) << c.policy << ' ' << c.unreachable << " of " << c.workers << ": " << reason;
  }
}

TEST(DowningPolicy, says_why_and_what_to_do) {
  EXPECT_EQ(hold_reason({}, {3, 4, 1}),
            "3 of 4 workers are unreachable: more than half (downing policy majority). None is declared down by itself; "
            "`davit node mark-down NODE --yes` decides by hand");
}

}  // namespace
}  // namespace davit::cluster
