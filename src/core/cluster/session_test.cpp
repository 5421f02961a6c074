#include "core/cluster/session.hpp"

#include <gtest/gtest.h>

namespace davit::cluster {
namespace {

constexpr Monotonic kStart{1000s};

Monotonic at(Duration offset) { return kStart + offset; }
SessionClock granted() { return SessionClock(kStart, kLeaseTtl); }
SessionClock fresh() {
  auto clock = granted();
  clock.on_read_sent(kStart);
  clock.on_watched(10);
  clock.on_read(kStart, 10);
  return clock;
}
// As the driver does while the store answers: renewals only.
void renew_until(SessionClock& clock, Duration from, Duration to) {
  for (auto t = from; t <= to; t += kRenewalInterval) clock.on_renewed(at(t), kLeaseTtl);
}

TEST(Session, is_valid_from_the_sending_of_the_request_and_not_from_the_answer) {
  auto clock = granted();
  EXPECT_TRUE(clock.is_valid(at(2499ms)));
  EXPECT_FALSE(clock.is_valid(at(2500ms)));
  clock.on_renewed(at(500ms), kLeaseTtl);  // whenever its answer has come
  EXPECT_TRUE(clock.is_valid(at(2999ms)));
  EXPECT_FALSE(clock.is_valid(at(3000ms)));
}

TEST(Session, takes_the_ttl_that_the_store_granted) {
  auto clock = granted();
  clock.on_renewed(at(1s), 5s);
  EXPECT_EQ(clock.valid_until(), at(5500ms));
}

TEST(Session, is_not_shortened_by_an_answer_that_comes_late) {
  auto clock = granted();
  clock.on_renewed(at(1s), kLeaseTtl);
  clock.on_renewed(at(500ms), kLeaseTtl);
  EXPECT_EQ(clock.valid_until(), at(3500ms));
}

TEST(Session, is_lost_for_good_when_the_store_does_not_know_the_lease) {
  for (bool by_ttl : {false, true}) {
    auto clock = fresh();
    if (by_ttl) clock.on_renewed(at(500ms), 0s);
    else clock.on_lease_lost();
    clock.on_renewed(at(600ms), kLeaseTtl);
    EXPECT_FALSE(clock.is_valid(at(700ms)));
    EXPECT_FALSE(clock.may_command(at(700ms)));
    EXPECT_TRUE(clock.must_give_up(at(700ms)));
  }
}

TEST(Session, renews_every_half_second_and_at_once_after_a_failure) {
  auto clock = granted();
  EXPECT_EQ(clock.next_renewal_at(), at(500ms));
  clock.on_renewal_sent(at(510ms));
  EXPECT_EQ(clock.next_renewal_at(), at(1010ms));
  clock.on_renewal_failed(at(810ms));  // its deadline
  EXPECT_EQ(clock.next_renewal_at(), at(810ms));
}

TEST(Session, does_not_spin_when_the_store_refuses_at_once) {
  auto clock = granted();
  clock.on_renewal_sent(at(500ms));
  clock.on_renewal_failed(at(501ms));
  EXPECT_EQ(clock.next_renewal_at(), at(500ms) + kRetryGap);
}

TEST(Session, hears_of_an_old_failure_without_delaying_the_next_renewal) {
  auto clock = granted();
  clock.on_renewal_sent(at(500ms));
  clock.on_renewal_failed(at(1200ms));
  EXPECT_EQ(clock.next_renewal_at(), at(1000ms));
}

TEST(Session, is_fresh_two_seconds_from_the_sending_of_a_read_that_the_watch_has_reached) {
  auto clock = granted();
  EXPECT_FALSE(clock.is_fresh(kStart));
  clock.on_read(at(100ms), 10);
  EXPECT_FALSE(clock.is_fresh(at(200ms)));
  clock.on_watched(9);
  EXPECT_FALSE(clock.is_fresh(at(200ms)));
  clock.on_watched(10);
  EXPECT_TRUE(clock.is_fresh(at(200ms)));
  EXPECT_TRUE(clock.is_fresh(at(2099ms)));
  EXPECT_FALSE(clock.is_fresh(at(2100ms)));
}

TEST(Session, counts_the_newest_read_that_is_reached) {
  auto clock = granted();
  clock.on_read(at(0s), 10);
  clock.on_read(at(1s), 12);
  clock.on_watched(11);
  EXPECT_EQ(clock.fresh_until(), at(2s));
  clock.on_watched(50);
  EXPECT_EQ(clock.fresh_until(), at(3s));
  clock.on_read(at(2s), 50);
  EXPECT_EQ(clock.fresh_until(), at(4s));
  EXPECT_EQ(clock.view_from(), at(2s));
}

TEST(Session, takes_a_watch_that_lags_behind_for_ever_as_unfresh) {
  auto clock = fresh();
  for (int i = 1; i < 100; ++i) {
    clock.on_read(at(i * 1s), 10 + i * 100);
    clock.on_watched(10 + (i - 3) * 100);
  }
  EXPECT_FALSE(clock.is_fresh(at(99s)));
}

TEST(Session, commands_only_while_valid_and_fresh) {
  auto clock = fresh();
  EXPECT_TRUE(clock.may_command(at(1999ms)));
  EXPECT_FALSE(clock.may_command(at(2s)));  // not fresh
  clock.on_read(at(2s), 10);
  EXPECT_TRUE(clock.may_command(at(2499ms)));
  EXPECT_FALSE(clock.may_command(at(2500ms)));  // not valid
}

TEST(Session, is_given_up_after_five_seconds_unfresh_while_renewals_succeed) {
  auto clock = fresh();
  renew_until(clock, 500ms, 7s);
  EXPECT_FALSE(clock.must_give_up(at(6999ms)));
  EXPECT_TRUE(clock.must_give_up(at(7s)));
  clock.on_read(at(7s), 10);
  EXPECT_FALSE(clock.must_give_up(at(7s)));
}

TEST(Session, resumes_after_a_gap_that_the_lease_outlived) {
  auto clock = fresh();
  EXPECT_FALSE(clock.must_give_up(at(20s)));  // neither renewals nor reads succeed: the lease decides
  clock.on_renewed(at(20s), kLeaseTtl);
  EXPECT_TRUE(clock.is_valid(at(20100ms)));
  EXPECT_FALSE(clock.may_command(at(20100ms)));
  EXPECT_FALSE(clock.must_give_up(at(20100ms)));
  clock.on_read(at(20200ms), 10);
  EXPECT_TRUE(clock.may_command(at(20300ms)));
}

TEST(Session, is_given_up_five_seconds_after_a_gap_that_leaves_it_unfresh) {
  auto clock = fresh();
  renew_until(clock, 20s, 25s);
  EXPECT_FALSE(clock.must_give_up(at(24999ms)));
  EXPECT_TRUE(clock.must_give_up(at(25s)));
}

TEST(Session, may_take_longer_to_read_the_store_for_the_first_time) {
  auto clock = granted();
  renew_until(clock, 500ms, 30s);
  EXPECT_FALSE(clock.must_give_up(at(29999ms)));
  EXPECT_TRUE(clock.must_give_up(at(30s)));
}

TEST(Session, reads_once_a_second_and_soon_after_a_failure) {
  auto clock = granted();
  EXPECT_EQ(clock.next_read_at(), kStart);
  clock.on_read_sent(kStart);
  EXPECT_EQ(clock.next_read_at(), at(1s));
  clock.on_read_failed(at(400ms));
  EXPECT_EQ(clock.next_read_at(), at(400ms));
}

}  // namespace
}  // namespace davit::cluster
