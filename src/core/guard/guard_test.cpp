#include "core/guard/guard.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace davit::guard {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Monotonic kStart = Monotonic{} + 1000s;

struct GuardTest : testing::Test {
  Actions step(Event const& event) {
    Actions actions;
    guard.step(now, event, actions);
    return actions;
  }
  Actions tick_at(Monotonic at) {
    now = at;
    return step(Tick{});
  }
  Actions write(std::vector<model::ContainerLease> leases) { return step(LeasesRead{std::move(leases)}); }
  static model::ContainerLease lease(std::string container, Monotonic end, std::string boot = "b1") {
    return {std::move(boot), std::move(container), end};
  }
  // Until the container has been killed for the first time.
  void let_run_out() {
    write({lease("c1", kStart + 10s)});
    tick_at(kStart + 10s);
    tick_at(kStart + 12s);
  }

  Monotonic now = kStart;
  Guard guard{"b1"};
};

TEST_F(GuardTest, signals_at_the_end_and_kills_two_seconds_later) {
  EXPECT_THAT(write({lease("c1", kStart + 10s)}), IsEmpty());
  EXPECT_EQ(guard.wake_at(), kStart + 10s);
  EXPECT_THAT(tick_at(kStart + 9999ms), IsEmpty());
  EXPECT_THAT(tick_at(kStart + 10s), ElementsAre(Action(Signal{"c1"})));
  EXPECT_EQ(guard.wake_at(), kStart + 12s);
  EXPECT_THAT(tick_at(kStart + 11s), IsEmpty());
  EXPECT_THAT(tick_at(kStart + 12s), ElementsAre(Action(Kill{"c1"})));
}

TEST_F(GuardTest, keeps_a_container_empty_that_is_never_to_run_again) {
  write({lease("c1", kStart + 10s)});
  EXPECT_THAT(write({lease("c1", model::kNeverAgain)}), IsEmpty());
  EXPECT_THAT(tick_at(kStart + kLookEvery), ElementsAre(Action(Look{{"c1"}})));
  EXPECT_THAT(step(Looked{{"c1"}}), ElementsAre(Action(Kill{"c1"})));
}

TEST_F(GuardTest, leaves_a_container_alone_whose_lease_is_renewed_in_time) {
  write({lease("c1", kStart + 10s)});
  now = kStart + 9s;
  EXPECT_THAT(write({lease("c1", kStart + 20s)}), IsEmpty());
  EXPECT_THAT(tick_at(kStart + 15s), IsEmpty());
  EXPECT_EQ(guard.wake_at(), kStart + 20s);
}

TEST_F(GuardTest, spares_it_when_the_renewal_comes_between_signal_and_kill) {
  write({lease("c1", kStart + 10s)});
  tick_at(kStart + 10s);
  now = kStart + 11s;
  write({lease("c1", kStart + 20s)});
  EXPECT_THAT(tick_at(kStart + 12s), IsEmpty());
  EXPECT_THAT(tick_at(kStart + 20s), ElementsAre(Action(Signal{"c1"})));
}

TEST_F(GuardTest, keeps_it_empty_whoever_starts_it_again) {
  let_run_out();
  EXPECT_THAT(tick_at(kStart + 12s + kLookEvery), ElementsAre(Action(Look{{"c1"}})));
  EXPECT_THAT(step(Looked{}), IsEmpty());
  EXPECT_THAT(tick_at(kStart + 12s + 2 * kLookEvery), ElementsAre(Action(Look{{"c1"}})));
  EXPECT_THAT(step(Looked{{"c1"}}), ElementsAre(Action(Kill{"c1"})));
}

TEST_F(GuardTest, lets_it_run_once_a_later_end_is_written) {
  let_run_out();
  write({lease("c1", kStart + 30s)});
  EXPECT_THAT(step(Looked{{"c1"}}), IsEmpty());
  EXPECT_THAT(tick_at(kStart + 20s), IsEmpty());
  EXPECT_EQ(guard.wake_at(), kStart + 30s);
}

TEST_F(GuardTest, writes_of_the_same_end_change_nothing) {
  let_run_out();
  EXPECT_THAT(write({lease("c1", kStart + 10s), lease("c2", kStart + 40s)}), IsEmpty());
  EXPECT_THAT(step(Looked{{"c1", "c2"}}), ElementsAre(Action(Kill{"c1"})));
}

TEST_F(GuardTest, ends_at_once_what_it_finds_past_its_end) {
  EXPECT_THAT(write({lease("c1", kStart - 1s)}), ElementsAre(Action(Signal{"c1"})));
}

TEST_F(GuardTest, passes_over_what_another_boot_left) {
  EXPECT_THAT(write({lease("c1", kStart - 1s, "b0")}), IsEmpty());
  EXPECT_EQ(guard.wake_at(), kNever);
}

TEST_F(GuardTest, forgets_what_is_listed_no_more) {
  let_run_out();
  write({});
  EXPECT_THAT(step(Looked{{"c1"}}), IsEmpty());
  EXPECT_EQ(guard.wake_at(), kNever);
}

TEST_F(GuardTest, keeps_each_container_to_its_own_end) {
  write({lease("c1", kStart + 10s), lease("c2", kStart + 20s)});
  EXPECT_THAT(tick_at(kStart + 10s), ElementsAre(Action(Signal{"c1"})));
  tick_at(kStart + 12s);
  EXPECT_THAT(step(Looked{{"c1", "c2"}}), SizeIs(1));
}

}  // namespace
}  // namespace davit::guard
