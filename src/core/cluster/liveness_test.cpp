#include "core/cluster/liveness.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/cluster/tick.hpp"
#include "core/cluster/witness.hpp"

namespace davit::cluster {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr Monotonic kStart{1000s};
constexpr Monotonic kNoStamp{};
constexpr NodeId kA{1};
constexpr NodeId kB{2};

Monotonic at(Duration offset) { return kStart + offset; }

// A master with punctual ticks, to whom nodes beat each second and echo its stamps after 10 ms.
struct Master {
  Liveness liveness{kStart};
  Duration now = 0s;

  void tick_until(Duration until) {
    for (; now + kControlTick <= until; now += kControlTick) EXPECT_FALSE(liveness.on_tick(at(now + kControlTick)));
  }
  void connect(NodeId node, std::uint64_t incarnation = 1) {
    liveness.connected(node, incarnation, at(now));
    EXPECT_FALSE(liveness.on_beat(node, incarnation, at(now), kNoStamp));
    EXPECT_TRUE(liveness.on_beat(node, incarnation, at(now + 10ms), at(now)));
  }
  void beat_until(NodeId node, Duration until, std::uint64_t incarnation = 1) {
    while (now + 1s <= until) {
      tick_until(now + 1s);
      EXPECT_TRUE(liveness.on_beat(node, incarnation, at(now), at(now - 990ms)));
    }
  }
  void pause(Duration length) {
    now += length;
    EXPECT_TRUE(liveness.on_tick(at(now)));
  }
  Hearing hearing(NodeId node) const { return liveness.hearing(node, at(now)); }
};

TEST(BeatInterval, grows_above_two_thousand_workers) {
  EXPECT_EQ(beat_interval(0), 1s);
  EXPECT_EQ(beat_interval(2000), 1s);
  EXPECT_EQ(beat_interval(3000), 1500ms);
  EXPECT_EQ(beat_interval(10000), 5s);
}

TEST(Liveness, hears_a_node_a_round_trip_after_it_connected) {
  Master master;
  EXPECT_EQ(master.hearing(kA), Hearing::Unknown);
  master.connect(kA);
  master.now = 10ms;
  EXPECT_EQ(master.hearing(kA), Hearing::Heard);
}

TEST(Liveness, loses_a_node_that_falls_silent_and_hears_it_again) {
  Master master;
  master.connect(kA);
  master.beat_until(kA, 10s);
  EXPECT_EQ(master.hearing(kA), Hearing::Heard);
  master.tick_until(13s);
  EXPECT_EQ(master.hearing(kA), Hearing::Heard);
  EXPECT_EQ(master.liveness.wake_at(), std::clamp(master.liveness.wake_at(), at(13s), at(13100ms)));
  master.tick_until(13200ms);
  EXPECT_EQ(master.hearing(kA), Hearing::Lost);
  master.connect(kA);
  master.tick_until(13300ms);
  EXPECT_EQ(master.hearing(kA), Hearing::Heard);
}

struct EchoCase {
  char const* what;
  Duration sent;
  Duration now;
  bool counts;
};

TEST(Liveness, counts_only_echoes_of_its_own_young_stamps) {
  for (auto const& c : {
           EchoCase{"young", 5s, 6s, true},
           EchoCase{"as old as may be", 5s, 8s, true},
           EchoCase{"older", 5s, 8001ms, false},
           EchoCase{"of an earlier connection or session", 1s, 2500ms, false},
           EchoCase{"of the future", 6s, 5s, false},
           EchoCase{"none", -1000s, 5s, false},
       }) {
    Liveness liveness(kStart);
    liveness.connected(kA, 1, at(2s));
    EXPECT_EQ(liveness.on_beat(kA, 1, at(c.now), at(c.sent)), c.counts) << c.what;
    EXPECT_EQ(liveness.hearing(kA, at(c.now)), c.counts ? Hearing::Heard : Hearing::Unknown) << c.what;
  }
}

TEST(Liveness, takes_a_one_way_cut_for_a_cut) {
  Master master;
  master.connect(kA);
  master.beat_until(kA, 10s);
  auto const last_stamp = at(10s);  // the answer to this beat still arrives, no later one does
  while (master.now < 20s) {
    master.tick_until(master.now + 1s);
    master.liveness.on_beat(kA, 1, at(master.now), last_stamp);
  }
  EXPECT_EQ(master.hearing(kA), Hearing::Lost);
}

TEST(Liveness, allows_echoes_to_be_as_late_as_the_pace_makes_them) {
  Liveness liveness(kStart, 5s);
  liveness.connected(kA, 1, kStart);
  EXPECT_TRUE(liveness.on_beat(kA, 1, at(7s), kStart));
  EXPECT_FALSE(liveness.on_beat(kA, 1, at(7001ms), kStart));
  EXPECT_EQ(liveness.hearing(kA, at(13s)), Hearing::Heard);
}

TEST(Liveness, does_not_lose_nodes_when_the_pace_slows_down) {
  Master master;
  master.connect(kA);
  master.beat_until(kA, 10s);
  master.liveness.set_interval(5s);
  master.beat_until(kA, 11s);  // this beat's stamp tells the agent
  master.tick_until(16s);
  EXPECT_EQ(master.hearing(kA), Hearing::Heard);
}

TEST(Liveness, allows_the_old_pace_to_a_node_that_was_not_told_the_new_one) {
  Liveness liveness(kStart, 5s);
  liveness.connected(kA, 1, kStart);
  EXPECT_TRUE(liveness.on_beat(kA, 1, at(10ms), kStart));
  liveness.set_interval(1s);
  EXPECT_TRUE(liveness.on_beat(kA, 1, at(5010ms), at(10ms)));
  EXPECT_FALSE(liveness.on_beat(kA, 1, at(10010ms), at(5010ms)));
}

TEST(Liveness, ignores_beats_without_a_connection_and_of_an_earlier_life) {
  Master master;
  EXPECT_FALSE(master.liveness.on_beat(kA, 1, kStart, kStart));
  master.connect(kA, 2);
  EXPECT_FALSE(master.liveness.on_beat(kA, 1, at(20ms), at(10ms)));
  EXPECT_TRUE(master.liveness.on_beat(kA, 3, at(20ms), at(10ms)));
  master.liveness.left(kA);
  EXPECT_FALSE(master.liveness.on_beat(kA, 3, at(30ms), at(20ms)));
  EXPECT_EQ(master.liveness.hearing(kA, at(30ms)), Hearing::Heard);  // a closed connection alone is no loss
}

TEST(Liveness, waits_thirty_seconds_for_a_node_that_it_has_never_heard) {
  Master master;
  master.tick_until(10s);
  master.liveness.expect({kA, 1}, at(10s));
  EXPECT_EQ(master.liveness.look({kA, 0}, at(10s)).waiting_since, at(10s));
  master.tick_until(39900ms);
  EXPECT_EQ(master.hearing(kA), Hearing::Unknown);
  EXPECT_EQ(master.liveness.wake_at(), at(40s));
  master.tick_until(40s);
  EXPECT_EQ(master.hearing(kA), Hearing::Lost);
}

TEST(Liveness, has_to_hear_a_new_life_anew_unless_it_hears_the_node_now) {
  Master master;
  master.connect(kA);
  master.connect(kB);
  master.beat_until(kA, 20s);
  master.liveness.expect({kA, 2}, at(20s));
  master.liveness.expect({kB, 2}, at(20s));
  EXPECT_EQ(master.hearing(kA), Hearing::Heard);
  EXPECT_EQ(master.hearing(kB), Hearing::Unknown);
  master.liveness.expect({kB, 2}, at(21s));
  EXPECT_EQ(master.liveness.look({kB, 0}, at(20s)).waiting_since, at(20s));
}

TEST(Liveness, tells_of_each_change_once_and_in_order) {
  Master master;
  master.connect(kB);
  master.connect(kA);
  EXPECT_THAT(master.liveness.take_changed(at(10ms)), ElementsAre(kA, kB));
  EXPECT_THAT(master.liveness.take_changed(at(10ms)), IsEmpty());
  master.beat_until(kA, 10s);
  EXPECT_THAT(master.liveness.take_changed(at(10s)), ElementsAre(kB));
  EXPECT_EQ(master.hearing(kB), Hearing::Lost);
  master.liveness.forget(kA);
  EXPECT_EQ(master.liveness.wake_at(), kNever);
  EXPECT_THAT(master.liveness.take_changed(at(20s)), IsEmpty());
}

TEST(Liveness, says_nothing_of_what_changed_and_changed_back) {
  Master master;
  master.connect(kA);
  EXPECT_THAT(master.liveness.take_changed(at(10ms)), ElementsAre(kA));
  master.tick_until(5s);
  master.liveness.expect({kA, 2}, at(5s));
  EXPECT_EQ(master.hearing(kA), Hearing::Unknown);
  master.connect(kA, 2);
  EXPECT_THAT(master.liveness.take_changed(at(5100ms)), IsEmpty());
}

TEST(Liveness, takes_every_node_for_heard_after_a_pause_of_its_own) {
  Master master;
  master.connect(kA);
  master.tick_until(1s);
  master.pause(60s);
  EXPECT_EQ(master.hearing(kA), Hearing::Heard);
  master.tick_until(63900ms);
  EXPECT_EQ(master.hearing(kA), Hearing::Heard);
  master.tick_until(64100ms);
  EXPECT_EQ(master.hearing(kA), Hearing::Lost);
}

TEST(Liveness, does_not_count_its_own_pause_as_waiting_for_a_node) {
  Master master;
  master.liveness.expect({kA, 1}, kStart);
  master.pause(60s);
  EXPECT_EQ(master.hearing(kA), Hearing::Unknown);
  EXPECT_EQ(master.liveness.look({kA, 0}, at(60s)).waiting_since, at(60s));
}

TEST(Liveness, bears_a_tick_that_is_half_a_second_late) {
  Liveness liveness(kStart);
  EXPECT_FALSE(liveness.on_tick(at(600ms)));
  EXPECT_TRUE(liveness.on_tick(at(1201ms)));
}

TEST(Liveness, is_no_witness_for_thirty_seconds_after_three_resets_in_thirty) {
  Master master;
  master.pause(1s);
  master.tick_until(10s);
  master.pause(1s);
  EXPECT_TRUE(master.liveness.counts_as_witness(at(master.now)));
  master.tick_until(29s);
  master.pause(1s);
  auto const third = master.now;
  EXPECT_FALSE(master.liveness.counts_as_witness(at(third)));
  EXPECT_FALSE(master.liveness.counts_as_witness(at(third + 29999ms)));
  EXPECT_TRUE(master.liveness.counts_as_witness(at(third + 30s)));
}

TEST(Liveness, stays_a_witness_when_its_resets_are_rare) {
  Master master;
  for (int i = 0; i < 10; ++i) {
    master.pause(1s);
    EXPECT_TRUE(master.liveness.counts_as_witness(at(master.now))) << i;
    master.tick_until(master.now + 16s);
  }
}

TEST(Witness, sorts_the_suspects_into_heard_unknown_and_lost) {
  Master master;
  NodeId const c{3};
  master.connect(kA);
  master.connect(kB);
  master.liveness.expect({c, 1}, kStart);
  master.beat_until(kA, 10s);
  model::SuspectsRecord const suspects{4, {{kA, 1}, {kB, 1}, {c, 1}}};
  auto const answer = answer_to(suspects, master.liveness, NodeId{9}, "m9.1", at(10s));
  EXPECT_EQ(answer, (model::SeenRecord{NodeId{9}, "m9.1", 4, true, {{kA, 1}}, {{c, 1}}}));
}

TEST(Witness, does_not_vouch_for_a_life_that_it_does_not_know_yet) {
  Master master;
  master.connect(kA);
  auto const answer = answer_to({4, {{kA, 2}}}, master.liveness, NodeId{9}, "m9.1", at(10ms));
  EXPECT_THAT(answer.heard, IsEmpty());
  EXPECT_THAT(answer.unknown, ElementsAre(model::NodeLife{kA, 2}));
}

TEST(Witness, answers_when_the_round_or_what_it_hears_has_changed) {
  Master master;
  master.connect(kA);
  auto const due = [&](model::SeenRecord const* written, model::SuspectsRecord const& suspects) {
    return answer_due(written, suspects, master.liveness, NodeId{9}, "m9.1", at(master.now));
  };
  EXPECT_FALSE(due(nullptr, {3, {}}));
  model::SuspectsRecord const suspects{4, {{kA, 1}}};
  auto const first = due(nullptr, suspects);
  ASSERT_TRUE(first);
  EXPECT_FALSE(due(&*first, suspects));
  EXPECT_TRUE(due(&*first, {5, suspects.nodes}));
  EXPECT_FALSE(due(&*first, {5, {}}));
  master.tick_until(5s);
  auto const second = due(&*first, suspects);
  ASSERT_TRUE(second);
  EXPECT_THAT(second->heard, IsEmpty());
}

}  // namespace
}  // namespace davit::cluster
