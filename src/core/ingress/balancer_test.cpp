#include "core/ingress/balancer.hpp"

#include <gmock/gmock.h>

namespace davit::ingress {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

struct BalancerTest : testing::Test {
  static Backend backend(std::uint64_t id, bool is_local = false) {
    return {.instance = {id}, .address = "10.0.0.1", .port = static_cast<std::uint16_t>(20000 + id), .is_local = is_local};
  }
  // 0: there is none.
  std::uint64_t choose(std::set<InstanceId> const& tried = {}) {
    auto const chosen = balancer.choose(tried, now);
    return chosen ? chosen->instance.value : 0;
  }
  std::vector<std::uint64_t> choose_times(int times) {
    std::vector<std::uint64_t> all;
    for (int i = 0; i < times; ++i) all.push_back(choose());
    return all;
  }

  Balancer balancer;
  Monotonic now{100s};
};

TEST_F(BalancerTest, has_nobody_to_choose_at_first) { EXPECT_EQ(choose(), 0u); }

TEST_F(BalancerTest, gives_each_the_same_number_of_connections) {
  balancer.set({backend(1), backend(2), backend(3)});
  EXPECT_THAT(choose_times(3), UnorderedElementsAre(1u, 2u, 3u));
  EXPECT_THAT(choose_times(3), UnorderedElementsAre(1u, 2u, 3u));
  balancer.release({2});
  EXPECT_EQ(choose(), 2u);
  EXPECT_EQ(balancer.connections(), 6u);
}

TEST_F(BalancerTest, takes_turns_where_none_has_a_connection) {
  balancer.set({backend(1), backend(2)});
  std::vector<std::uint64_t> all;
  for (int i = 0; i < 4; ++i) {
    all.push_back(choose());
    balancer.release({all.back()});
  }
  EXPECT_THAT(all, ElementsAre(1u, 2u, 1u, 2u));
}

TEST_F(BalancerTest, prefers_this_node_however_many_connections_there_are) {
  balancer.set({backend(1), backend(2, true), backend(3, true)});
  EXPECT_THAT(choose_times(4), ElementsAre(2u, 3u, 2u, 3u));
  EXPECT_EQ(choose({{2}, {3}}), 1u) << "but goes elsewhere when those have refused";
}

TEST_F(BalancerTest, never_tries_the_same_twice) {
  balancer.set({backend(1)});
  EXPECT_EQ(choose({{1}}), 0u);
}

TEST_F(BalancerTest, leaves_out_for_a_while_who_has_refused) {
  balancer.set({backend(1, true), backend(2)});
  balancer.refused({1}, now);
  EXPECT_EQ(choose(), 2u);
  now += Balancer::kRestAfterRefusal - 1ns;
  EXPECT_EQ(choose(), 2u);
  now += 1ns;
  EXPECT_EQ(choose(), 1u);
}

TEST_F(BalancerTest, tries_those_that_rest_when_there_is_nobody_else) {
  balancer.set({backend(1), backend(2)});
  balancer.refused({1}, now);
  balancer.refused({2}, now + 1s);
  EXPECT_EQ(choose({{2}}), 1u);
}

TEST_F(BalancerTest, begins_anew_with_an_instance_whose_address_has_changed) {
  balancer.set({backend(1, true), backend(2)});
  balancer.refused({1}, now);
  auto moved = backend(1, true);
  moved.port = 20100;
  balancer.set({moved, backend(2)});
  EXPECT_EQ(choose(), 1u);
}

TEST_F(BalancerTest, keeps_count_of_connections_to_those_that_have_gone) {
  balancer.set({backend(1), backend(2)});
  EXPECT_THAT(choose_times(2), UnorderedElementsAre(1u, 2u));
  balancer.set({backend(2)});
  EXPECT_FALSE(balancer.is_listed({1}));
  EXPECT_EQ(balancer.connections({1}), 1u);
  EXPECT_THAT(choose_times(2), ElementsAre(2u, 2u));
  balancer.refused({1}, now);  // a try that was on its way
  balancer.release({1});
  EXPECT_EQ(balancer.connections(), 3u);
  balancer.set({backend(1), backend(2)});
  EXPECT_EQ(choose(), 1u);
}

}  // namespace
}  // namespace davit::ingress
