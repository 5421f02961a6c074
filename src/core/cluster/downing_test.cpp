#include "core/cluster/downing.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace davit::cluster {
namespace {

using model::NodeLife;
using model::NodeStatus;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Monotonic kStart{1000s};

// What stands in the store and what the coordinator hears, set by hand. Masters 101, 102, …, the first is the coordinator.
struct Scene {
  std::vector<Worker> workers;
  std::vector<LiveMaster> masters;
  model::SuspectsRecord suspects;
  std::vector<model::SeenRecord> seen;
  DowningPolicy policy;
  Downing downing{kStart};

  Scene(std::uint64_t worker_count, std::uint64_t master_count) {
    for (std::uint64_t i = 1; i <= worker_count; ++i) workers.push_back({{NodeId{i}, 1}, NodeStatus::Up, {}, Hearing::Heard, kStart});
    for (std::uint64_t i = 1; i <= master_count; ++i) masters.push_back({NodeId{100 + i}, "session-" + std::to_string(i)});
  }
  Worker& worker(std::uint64_t number) { return workers[number - 1]; }
  static NodeLife life(std::uint64_t number) { return {NodeId{number}, 1}; }
  void lose(std::vector<std::uint64_t> const& numbers) {
    for (auto const number : numbers) worker(number).hearing = Hearing::Lost;
  }
  void answer(std::uint64_t master, std::vector<NodeLife> heard = {}, std::vector<NodeLife> unknown = {}, bool counts = true) {
    auto const& live = masters[master - 1];
    std::erase_if(seen, [&](auto const& record) { return record.master == live.id; });
    seen.push_back({live.id, live.session, suspects.round, counts, std::move(heard), std::move(unknown)});
  }
  void all_answer() {
    for (std::uint64_t i = 1; i <= masters.size(); ++i) answer(i);
  }

  Verdict judge(Duration offset) { return downing.judge({kStart + offset, NodeId{101}, policy, 1s, workers, masters, suspects, seen}); }
  // Judges, and the store takes what follows.
  Verdict commit(Duration offset) {
    auto verdict = judge(offset);
    if (verdict.suspects) suspects = *verdict.suspects;
    for (auto const& mark : verdict.marks) {
      auto const at = std::ranges::find(workers, mark.life, &Worker::life);
      at->status = mark.to;
      if (mark.to == NodeStatus::Down) at->downed_at = kStart + offset;
    }
    return verdict;
  }
  // Suspicion at 10 s, nobody hears them, unreachable at 10.1 s.
  void make_unreachable(std::vector<std::uint64_t> const& numbers) {
    commit(0s);
    lose(numbers);
    commit(10s);
    all_answer();
    commit(10100ms);
  }
  std::vector<std::uint64_t> with(NodeStatus status) const {
    std::vector<std::uint64_t> numbers;
    for (auto const& w : workers) {
      if (w.status == status) numbers.push_back(w.life.node.value);
    }
    return numbers;
  }
};

TEST(Downing, does_nothing_while_all_are_heard) {
  Scene scene(4, 3);
  auto const verdict = scene.judge(10s);
  EXPECT_FALSE(verdict.has_writes());
  EXPECT_THAT(verdict.compares, IsEmpty());
  EXPECT_EQ(verdict.wake_at, kNever);
}

TEST(Downing, shares_a_suspicion_before_it_says_anything_of_the_node) {
  Scene scene(4, 2);
  scene.lose({2});
  auto const verdict = scene.commit(10s);
  EXPECT_EQ(verdict.suspects, (model::SuspectsRecord{1, {Scene::life(2)}}));
  EXPECT_THAT(verdict.marks, IsEmpty());
  EXPECT_THAT(verdict.compares, ElementsAre(model::suspects_key()));
  EXPECT_FALSE(scene.judge(10s).has_writes());
}

TEST(Downing, calls_unreachable_what_no_master_hears_and_down_when_that_has_settled) {
  Scene scene(4, 2);
  scene.make_unreachable({2});
  EXPECT_THAT(scene.with(NodeStatus::Unreachable), ElementsAre(2));
  auto const waits = scene.judge(11s);
  EXPECT_FALSE(waits.has_writes());
  EXPECT_EQ(waits.wake_at, kStart + 11100ms);
  EXPECT_THAT(waits.waiting, HasSubstr("judged together"));
  auto const verdict = scene.commit(11100ms);
  EXPECT_THAT(verdict.marks, ElementsAre(Mark{Scene::life(2), NodeStatus::Down}));
  EXPECT_THAT(verdict.compares, ElementsAre(model::suspects_key(), model::seen_key(NodeId{101}), model::seen_key(NodeId{102})));
  EXPECT_EQ(scene.commit(11200ms).suspects, (model::SuspectsRecord{2, {}}));
  EXPECT_FALSE(scene.commit(11300ms).has_writes());
}

TEST(Downing, waits_for_a_node_that_is_overdue_but_not_for_ever) {
  Scene scene(4, 2);
  scene.make_unreachable({2});
  scene.worker(3).is_overdue = true;
  auto const waits = scene.judge(11500ms);
  EXPECT_FALSE(waits.has_writes());
  EXPECT_EQ(waits.wake_at, kStart + 11700ms);
  EXPECT_THAT(waits.waiting, HasSubstr("judged together"));
  EXPECT_THAT(scene.judge(13100ms).marks, ElementsAre(Mark{Scene::life(2), NodeStatus::Down}));
  scene.worker(3).is_overdue = false;
  EXPECT_THAT(scene.judge(11600ms).marks, ElementsAre(Mark{Scene::life(2), NodeStatus::Down}));
}

// Its beats were less regular at the other master, which loses it later.
TEST(Downing, waits_for_a_fresh_suspect_that_another_master_hears_but_not_for_ever) {
  Scene scene(4, 2);
  scene.make_unreachable({2});
  scene.lose({3});
  scene.commit(10200ms);
  scene.answer(1);
  scene.answer(2, {Scene::life(3)});
  auto const waits = scene.judge(11500ms);
  EXPECT_FALSE(waits.has_writes());
  EXPECT_EQ(waits.wake_at, kStart + 11700ms);
  EXPECT_THAT(waits.waiting, HasSubstr("judged together"));
  EXPECT_THAT(scene.judge(13100ms).marks, ElementsAre(Mark{Scene::life(2), NodeStatus::Down}));
}

TEST(Downing, does_not_wait_for_one_that_only_some_masters_have_lost_long_ago) {
  Scene scene(4, 2);
  scene.commit(0s);
  scene.lose({3});
  scene.commit(2s);
  scene.answer(1);
  scene.answer(2, {Scene::life(3)});
  scene.commit(3s);
  scene.lose({2});
  scene.commit(10s);
  scene.answer(1);
  scene.answer(2, {Scene::life(3)});
  scene.commit(10100ms);
  EXPECT_THAT(scene.with(NodeStatus::Unreachable), ElementsAre(2));
  EXPECT_THAT(scene.judge(11100ms).marks, ElementsAre(Mark{Scene::life(2), NodeStatus::Down}));
}

TEST(Downing, waits_for_the_answer_of_every_live_master) {
  Scene scene(4, 3);
  scene.lose({2});
  scene.commit(10s);
  scene.answer(1);
  scene.answer(2);
  auto verdict = scene.commit(20s);
  EXPECT_FALSE(verdict.has_writes());
  EXPECT_THAT(verdict.waiting, HasSubstr("has not answered"));
  scene.masters.pop_back();  // its key is gone: it counts no longer
  EXPECT_THAT(scene.commit(20100ms).marks, ElementsAre(Mark{Scene::life(2), NodeStatus::Unreachable}));
}

TEST(Downing, takes_no_answer_of_an_earlier_round_or_session) {
  for (bool by_session : {false, true}) {
    Scene scene(4, 2);
    scene.lose({2});
    scene.commit(10s);
    scene.all_answer();
    if (by_session) scene.seen[1].session = "before";
    else --scene.seen[1].round;
    EXPECT_FALSE(scene.judge(20s).has_writes());
  }
}

TEST(Downing, leaves_alone_what_another_master_hears) {
  Scene scene(4, 2);
  scene.lose({2});
  scene.commit(10s);
  scene.answer(1);
  scene.answer(2, {Scene::life(2)});
  for (auto t : {11s, 60s, 600s}) EXPECT_FALSE(scene.commit(t).has_writes());
  scene.answer(2);  // now it has lost it as well
  EXPECT_THAT(scene.commit(700s).marks, ElementsAre(Mark{Scene::life(2), NodeStatus::Unreachable}));
  EXPECT_FALSE(scene.commit(700500ms).has_writes());  // however long it was suspected
  EXPECT_THAT(scene.commit(701s).marks, ElementsAre(Mark{Scene::life(2), NodeStatus::Down}));
}

TEST(Downing, brings_back_an_unreachable_node_that_any_master_hears) {
  Scene scene(4, 2);
  scene.make_unreachable({2, 3});
  scene.answer(2, {Scene::life(2)});
  scene.worker(3).hearing = Hearing::Heard;
  auto const verdict = scene.commit(10500ms);
  EXPECT_THAT(verdict.marks, ElementsAre(Mark{Scene::life(2), NodeStatus::Up}, Mark{Scene::life(3), NodeStatus::Up}));
  EXPECT_EQ(verdict.suspects, (model::SuspectsRecord{2, {Scene::life(2)}}));  // not heard here yet
}

TEST(Downing, trusts_its_own_ears_over_its_written_answer) {
  Scene scene(4, 1);
  scene.make_unreachable({2});
  scene.worker(2).hearing = Hearing::Heard;
  EXPECT_THAT(scene.commit(20s).marks, ElementsAre(Mark{Scene::life(2), NodeStatus::Up}));
}

TEST(Downing, needs_a_witness_that_counts) {
  Scene scene(4, 2);
  scene.lose({2});
  scene.commit(10s);
  scene.answer(1, {}, {}, false);
  scene.answer(2, {}, {}, false);
  auto const verdict = scene.commit(60s);
  EXPECT_FALSE(verdict.has_writes());
  EXPECT_THAT(verdict.waiting, HasSubstr("witness"));
  scene.answer(2);
  EXPECT_THAT(scene.commit(60100ms).marks, ElementsAre(Mark{Scene::life(2), NodeStatus::Unreachable}));
}

TEST(Downing, does_not_believe_a_witness_that_does_not_count) {
  Scene scene(4, 2);
  scene.lose({2});
  scene.commit(10s);
  scene.answer(1);
  scene.answer(2, {Scene::life(2)}, {}, false);
  EXPECT_THAT(scene.commit(10100ms).marks, ElementsAre(Mark{Scene::life(2), NodeStatus::Unreachable}));
}

TEST(Downing, judges_nodes_together_that_fall_within_a_second_of_each_other) {
  Scene scene(10, 1);
  scene.make_unreachable({1});
  scene.lose({2});
  EXPECT_TRUE(scene.commit(10900ms).suspects);
  scene.all_answer();
  scene.commit(11s);
  EXPECT_THAT(scene.with(NodeStatus::Unreachable), ElementsAre(1, 2));
  EXPECT_THAT(scene.commit(11900ms).marks, IsEmpty());
  scene.commit(12s);
  EXPECT_THAT(scene.with(NodeStatus::Down), ElementsAre(1, 2));
}

TEST(Downing, downs_nobody_at_the_moment_at_which_it_loses_another) {
  Scene scene(10, 1);
  scene.make_unreachable({1});
  scene.lose({2});
  auto const verdict = scene.commit(11100ms);
  EXPECT_TRUE(verdict.suspects);
  EXPECT_THAT(verdict.marks, IsEmpty());
}

TEST(Downing, waits_no_longer_than_three_seconds_for_a_row_of_nodes_to_end) {
  Scene scene(30, 1);
  scene.make_unreachable({1});
  Duration t = 10100ms;
  for (std::uint64_t next = 2; scene.with(NodeStatus::Down).empty() && t < 20s; ++next) {
    t += 500ms;
    scene.lose({next});
    scene.commit(t);
    scene.all_answer();
    scene.commit(t + 50ms);
  }
  EXPECT_EQ(t, 13100ms);
}

TEST(Downing, lets_a_round_be_answered_before_it_begins_another) {
  Scene scene(10, 2);
  scene.lose({1});
  scene.commit(10s);
  scene.lose({2});
  auto const waits = scene.commit(10500ms);
  EXPECT_FALSE(waits.suspects);
  EXPECT_EQ(waits.wake_at, kStart + 11s);
  scene.all_answer();
  EXPECT_EQ(scene.commit(10600ms).suspects->round, 2U);
  scene.lose({3});
  EXPECT_FALSE(scene.commit(11599ms).suspects);
  EXPECT_EQ(scene.commit(11600ms).suspects->round, 3U);  // someone does not answer: on with it
}

TEST(Downing, writes_at_most_64_marks_at_once_and_the_rest_after) {
  Scene scene(200, 1);
  std::vector<std::uint64_t> most;
  for (std::uint64_t i = 1; i <= 90; ++i) most.push_back(i);
  scene.make_unreachable(most);
  EXPECT_EQ(scene.with(NodeStatus::Unreachable).size(), 64U);
  scene.commit(10200ms);
  EXPECT_EQ(scene.with(NodeStatus::Unreachable).size(), 90U);
  EXPECT_EQ(scene.commit(12s).marks.size(), 64U);
  auto const rest = scene.commit(12100ms);
  EXPECT_EQ(rest.marks.size(), 26U);
  EXPECT_EQ(rest.suspects->nodes.size(), 26U);  // the round that is judged is the one that stands
  EXPECT_EQ(scene.with(NodeStatus::Down).size(), 90U);
}

TEST(Downing, downs_one_of_two) {
  Scene scene(2, 1);
  scene.make_unreachable({2});
  scene.commit(12s);
  EXPECT_THAT(scene.with(NodeStatus::Down), ElementsAre(2));
}

TEST(Downing, holds_when_more_than_half_are_unreachable_and_says_so) {
  Scene scene(4, 1);
  scene.make_unreachable({1, 2, 3});
  auto const verdict = scene.commit(60s);
  EXPECT_FALSE(verdict.has_writes());
  EXPECT_THAT(verdict.hold, HasSubstr("3 of 4 workers are unreachable"));
  EXPECT_THAT(scene.with(NodeStatus::Unreachable), ElementsAre(1, 2, 3));
}

TEST(Downing, waits_three_seconds_for_others_when_nodes_come_back_and_end_a_hold) {
  Scene scene(4, 1);
  scene.make_unreachable({1, 2, 3});
  scene.worker(1).hearing = Hearing::Heard;
  EXPECT_EQ(scene.commit(20s).suspects->nodes.size(), 2U);
  scene.all_answer();
  auto const verdict = scene.commit(20100ms);
  EXPECT_THAT(verdict.hold, IsEmpty());
  EXPECT_EQ(verdict.wake_at, kStart + 23s);
  scene.worker(2).hearing = Hearing::Heard;
  scene.commit(21s);
  scene.all_answer();
  scene.commit(22900ms);
  EXPECT_THAT(scene.with(NodeStatus::Down), IsEmpty());
  scene.commit(23s);
  EXPECT_THAT(scene.with(NodeStatus::Down), ElementsAre(3));
  EXPECT_THAT(scene.with(NodeStatus::Up), ElementsAre(1, 2, 4));
}

TEST(Downing, keeps_saying_that_it_holds_while_a_round_is_asked_anew) {
  Scene scene(4, 1);
  scene.make_unreachable({1, 2, 3});
  scene.lose({4});
  scene.commit(20s);
  EXPECT_THAT(scene.judge(20s).hold, HasSubstr("3 of 4"));
}

TEST(Downing, holds_when_nodes_fall_one_by_one_until_most_are_gone) {
  Scene scene(5, 1);
  scene.commit(0s);
  Duration t = 10s;
  for (std::uint64_t next = 1; next <= 4; ++next) {
    scene.lose({next});
    for (int step = 0; step < 80; ++step, t += 100ms) {
      scene.commit(t);
      scene.all_answer();
    }
  }
  EXPECT_THAT(scene.with(NodeStatus::Down), ElementsAre(1, 2));
  EXPECT_THAT(scene.with(NodeStatus::Unreachable), ElementsAre(3, 4));
  EXPECT_THAT(scene.judge(t).hold, HasSubstr("4 of 5"));
}

TEST(Downing, forgets_after_a_minute_that_a_node_was_downed) {
  Scene scene(5, 1);
  scene.make_unreachable({1, 2});
  scene.commit(12s);
  scene.lose({3});
  scene.commit(30s);
  scene.all_answer();
  scene.commit(30100ms);
  auto const holds = scene.judge(33s);
  EXPECT_THAT(holds.hold, HasSubstr("3 of 5"));
  EXPECT_EQ(holds.wake_at, kStart + 72s);
  EXPECT_THAT(scene.judge(72s).hold, IsEmpty());
  scene.commit(75s);
  EXPECT_THAT(scene.with(NodeStatus::Down), ElementsAre(1, 2, 3));
}

TEST(Downing, does_not_count_for_a_hold_what_went_down_before_this_master_began) {
  Scene scene(4, 1);
  scene.worker(1).status = scene.worker(2).status = NodeStatus::Down;
  scene.make_unreachable({3});
  scene.commit(12s);
  EXPECT_THAT(scene.with(NodeStatus::Down), ElementsAre(1, 2, 3));
}

TEST(Downing, obeys_the_policy) {
  struct Case {
    char const* policy;
    std::vector<std::uint64_t> lost;
    std::size_t downed;
  };
  for (auto const& c : {Case{"any", {1, 2, 3, 4}, 4}, Case{"never", {1}, 0}, Case{"quorum:3", {1}, 1}, Case{"quorum:3", {1, 2}, 0}}) {
    Scene scene(4, 1);
    scene.policy = *parse_downing_policy(c.policy);
    scene.make_unreachable(c.lost);
    scene.commit(60s);
    EXPECT_EQ(scene.with(NodeStatus::Down).size(), c.downed) << c.policy;
  }
}

TEST(Downing, suspects_a_node_it_has_never_heard_only_after_a_while) {
  Scene scene(4, 1);
  scene.worker(2).hearing = Hearing::Unknown;
  auto const verdict = scene.commit(2900ms);
  EXPECT_FALSE(verdict.has_writes());
  EXPECT_EQ(verdict.wake_at, kStart + 3s);
  EXPECT_TRUE(scene.commit(3s).suspects);
}

TEST(Downing, waits_thirty_seconds_for_a_node_that_nobody_has_heard) {
  Scene scene(4, 1);
  scene.worker(2).hearing = Hearing::Unknown;
  scene.commit(3s);
  scene.answer(1, {}, {Scene::life(2)});
  scene.commit(3100ms);
  EXPECT_THAT(scene.with(NodeStatus::Unreachable), ElementsAre(2));
  auto const verdict = scene.commit(29900ms);
  EXPECT_FALSE(verdict.has_writes());
  EXPECT_THAT(verdict.waiting, HasSubstr("has yet to hear node"));
  scene.lose({2});  // as Liveness does after 30 s
  scene.answer(1);
  scene.commit(30s);
  EXPECT_THAT(scene.with(NodeStatus::Down), ElementsAre(2));
}

TEST(Downing, waits_five_seconds_for_a_node_that_another_master_has_lost) {
  Scene scene(4, 2);
  scene.worker(2).hearing = Hearing::Unknown;
  scene.commit(3s);
  scene.answer(1, {}, {Scene::life(2)});
  scene.answer(2);
  scene.commit(3100ms);
  auto const waits = scene.commit(4900ms);
  EXPECT_FALSE(waits.has_writes());
  EXPECT_EQ(waits.wake_at, kStart + 5s);
  scene.commit(5s);
  EXPECT_THAT(scene.with(NodeStatus::Down), ElementsAre(2));
}

TEST(Downing, waits_five_seconds_for_another_master_that_began_lately) {
  Scene scene(4, 2);
  auto const late = scene.masters.back();
  scene.masters.pop_back();
  scene.make_unreachable({2});
  scene.masters.push_back(late);
  EXPECT_FALSE(scene.commit(11s).has_writes());  // it has not answered
  scene.answer(2, {}, {Scene::life(2)});
  auto const waits = scene.commit(12s);
  EXPECT_FALSE(waits.has_writes());
  EXPECT_EQ(waits.wake_at, kStart + 16s);
  scene.commit(16s);
  EXPECT_THAT(scene.with(NodeStatus::Down), ElementsAre(2));
}

TEST(Downing, keeps_the_suspects_of_its_predecessor_until_it_hears_them) {
  Scene scene(4, 1);
  scene.suspects = {7, {Scene::life(1), Scene::life(2)}};
  scene.worker(2).hearing = Hearing::Unknown;
  EXPECT_EQ(scene.commit(1s).suspects, std::nullopt);  // the round stands unanswered
  scene.answer(1, {Scene::life(1)}, {Scene::life(2)});
  EXPECT_EQ(scene.commit(1s).suspects, (model::SuspectsRecord{8, {Scene::life(2)}}));
}

TEST(Downing, drops_suspects_that_are_removed_down_or_in_another_life) {
  Scene scene(3, 1);
  scene.suspects = {7, {{NodeId{1}, 1}, {NodeId{2}, 1}, {NodeId{9}, 1}}};
  scene.worker(1).status = NodeStatus::Down;
  scene.worker(2).life.incarnation = 2;
  scene.all_answer();
  auto const verdict = scene.commit(10s);
  EXPECT_EQ(verdict.suspects, (model::SuspectsRecord{8, {}}));
  EXPECT_THAT(verdict.marks, IsEmpty());
}

}  // namespace
}  // namespace davit::cluster
