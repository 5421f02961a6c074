#include "core/cluster/readiness.hpp"

#include <gtest/gtest.h>

namespace davit::cluster {
namespace {

struct Case {
  bool was_ready;
  bool is_fresh;
  bool have_all_reported;
  Duration age;
  bool expected;
};

TEST(Readiness, follows_the_table) {
  constexpr Monotonic kStart{50s};
  for (auto const& c : {
           Case{false, true, true, 1s, true}, Case{false, true, false, 29999ms, false}, Case{false, true, false, 30s, true},
           Case{false, false, true, 1s, false},   // complete, but of a view that may be old
           Case{false, false, true, 60s, false}, Case{true, false, false, 1s, true},    // stays so
       }) {
    EXPECT_EQ(is_ready(c.was_ready, c.is_fresh, c.have_all_reported, kStart, kStart + c.age), c.expected)
        << c.was_ready << c.is_fresh << c.have_all_reported << " after " << format_duration(c.age);
  }
}

}  // namespace
}  // namespace davit::cluster
