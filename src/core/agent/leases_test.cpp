// Instances that must not be doubled, on their node.
#include "core/agent/agent_harness.hpp"

namespace davit::agent {
namespace {

using model::ContainerState;
using model::InstanceState;
using model::Reason;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class LeasesTest : public AgentTest {};

TEST_F(LeasesTest, starts_under_a_lease_only) {
  tell(offer(100));
  EXPECT_THAT(containers_, SizeIs(1));
  EXPECT_THAT(running(), IsEmpty());
  grant();
  EXPECT_THAT(running(), ElementsAre("c1"));
  EXPECT_EQ(environment_.at("DAVIT_FENCING_TOKEN"), "100");
  EXPECT_THAT(file_, ElementsAre(model::ContainerLease{"b1", "c1", now_.monotonic + kStopAfter}));
}

TEST_F(LeasesTest, starts_only_when_the_guard_knows_of_it) {
  grant();
  holds_writes_ = true;
  tell(offer(100));
  ASSERT_TRUE(is_writing_);
  EXPECT_THAT(running(), IsEmpty());
  step(written());
  EXPECT_THAT(running(), SizeIs(1));
}

TEST_F(LeasesTest, starts_only_when_the_claim_is_durable) {
  grant();
  holds_saves_ = true;
  tell(offer(100));
  EXPECT_THAT(running(), IsEmpty());
  step(saved());
  EXPECT_THAT(running(), SizeIs(1));
  EXPECT_EQ(durable_.slots.at({kUid, 1}).token, 100);
}

TEST_F(LeasesTest, tries_again_when_the_lease_file_cannot_be_written) {
  grant();
  holds_writes_ = true;
  tell(offer(100));
  holds_writes_ = is_writing_ = false;
  step(LeasesWritten{fail(Code::Full, "no space left")});
  EXPECT_THAT(running(), IsEmpty());
  pass(2s);
  EXPECT_THAT(running(), SizeIs(1));
}

TEST_F(LeasesTest, stops_at_the_end_of_the_lease_and_starts_again_in_place) {
  grant();
  tell(offer(100));
  pass(kStopAfter - 200ms);
  EXPECT_THAT(running(), SizeIs(1));
  take<model::InstanceChanged>();
  pass(300ms);
  EXPECT_THAT(running(), IsEmpty());
  EXPECT_THAT(graces_, ElementsAre(2s));
  auto const report = last_report();
  EXPECT_EQ(report.state, InstanceState::Failed);
  EXPECT_EQ(report.reason, Reason::LeaseEnded);
  EXPECT_EQ(report.failures, 0);

  pass(2min);
  EXPECT_THAT(running(), IsEmpty());
  grant();
  EXPECT_THAT(running(), SizeIs(1));
  EXPECT_EQ(last_report().id, InstanceId{77});
}

TEST_F(LeasesTest, runs_on_while_it_is_renewed_and_writes_the_file_seldom) {
  grant();
  tell(offer(100));
  auto const writes_before = writes_;
  for (int i = 0; i < 60; ++i) {
    pass(1s);
    grant();
  }
  EXPECT_THAT(running(), ElementsAre("c1"));
  EXPECT_THAT(graces_, IsEmpty());
  EXPECT_GE(writes_ - writes_before, 4);
  EXPECT_LE(writes_ - writes_before, 9);
  EXPECT_GT(file_.front().end, now_.monotonic);
}

TEST_F(LeasesTest, counts_from_its_own_clock_whenever_the_grant_arrives) {
  grant();
  tell(offer(100));
  auto const then = now_.monotonic;
  pass(10s);
  tell(model::BeatBack{.stamp = now_.monotonic, .grant = model::Grant{then + 1s, 1}});
  pass(5900ms);
  EXPECT_THAT(running(), SizeIs(1));
  pass(200ms);
  EXPECT_THAT(running(), IsEmpty());
}

TEST_F(LeasesTest, takes_no_clock_that_it_has_not_reached) {
  tell(offer(100));
  tell(model::BeatBack{.stamp = now_.monotonic, .grant = model::Grant{now_.monotonic + 1h, 1}});
  EXPECT_THAT(running(), IsEmpty());
}

TEST_F(LeasesTest, is_not_covered_in_another_life_of_the_node_until_confirmed) {
  grant();
  tell(offer(100));
  for (int i = 0; i < 16; ++i) {
    pass(1s);
    grant(2);
  }
  EXPECT_THAT(running(), IsEmpty());
  tell(offer(100, 1));  // of the life before
  EXPECT_THAT(running(), IsEmpty());
  tell(offer(100, 2));
  EXPECT_THAT(running(), SizeIs(1));
  EXPECT_EQ(durable_.slots.at({kUid, 1}).incarnation, 2);

  tell(offer(100, 1));  // late
  for (int i = 0; i < 20; ++i) {
    pass(1s);
    grant(2);
  }
  EXPECT_THAT(running(), SizeIs(1));
}

TEST_F(LeasesTest, admits_nothing_without_a_guard) {
  has_guard_ = false;
  start_agent();
  tell(offer(100));
  auto const verdicts = take<model::Verdict>();
  ASSERT_THAT(verdicts, SizeIs(1));
  EXPECT_FALSE(verdicts.front().admitted);
  EXPECT_EQ(verdicts.front().reason, Reason::NoGuard);
  EXPECT_THAT(containers_, IsEmpty());
}

TEST_F(LeasesTest, says_gone_only_when_the_refusal_is_durable) {
  holds_saves_ = true;
  tell(stop(100));
  EXPECT_THAT(take<model::InstanceGone>(), IsEmpty());
  step(saved());
  EXPECT_THAT(take<model::InstanceGone>(), ElementsAre(model::InstanceGone{{77}, kUid, 1, 100}));
}

TEST_F(LeasesTest, says_nothing_when_the_refusal_could_not_be_saved) {
  holds_saves_ = true;
  tell(stop(100));
  step(StateSaved{fail(Code::Full, "no space left")});
  EXPECT_THAT(take<model::InstanceGone>(), IsEmpty());
}

TEST_F(LeasesTest, gives_the_slot_back_after_it_has_removed_the_instance) {
  grant();
  tell(offer(100));
  take<model::InstanceGone>();
  tell(stop(100));
  pass(3s);
  EXPECT_THAT(containers_, IsEmpty());
  EXPECT_THAT(take<model::InstanceGone>(), ElementsAre(model::InstanceGone{{77}, kUid, 1, 100}));
  EXPECT_THAT(file_, IsEmpty());
}

TEST_F(LeasesTest, tells_how_long_it_served_when_that_is_over) {
  grant();
  tell(offer(100));
  pass(5s);
  grant();
  pass(5s);
  auto& container = containers_.at(running().at(0));
  container.state = model::ContainerState::Exited;
  step(EngineHinted{model::ContainerTouched{container.id}});
  auto const report = last_report();
  EXPECT_EQ(report.served_for, 10s);
  EXPECT_FALSE(report.was_found);
}

// Its owner takes another way to it, through another master and back: what was said on the way before it may arrive last.
TEST_F(LeasesTest, obeys_only_words_that_come_the_way_of_their_fence) {
  constexpr NodeId kOther{2};
  grant();
  step(MasterJoined{kOther});
  step(FromMaster{kOther, model::FenceShards{.round = 2, .fences = {kFence}, .asker = kMaster}});
  tell(offer(100));
  EXPECT_THAT(running(), IsEmpty());
  step(FromMaster{kOther, offer(100)});
  EXPECT_THAT(running(), SizeIs(1));
  tell(model::FenceShards{.round = 3, .fences = {kFence}, .asker = kMaster});
  step(FromMaster{kOther, model::FenceShards{.round = 1, .fences = {kFence}, .asker = kMaster}});
  step(FromMaster{kOther, stop(100)});
  EXPECT_THAT(running(), SizeIs(1));
  tell(stop(100));
  EXPECT_THAT(running(), IsEmpty());
}

TEST_F(LeasesTest, is_not_stopped_by_a_late_word_about_an_earlier_offer) {
  grant();
  tell(offer(100));
  take<model::InstanceGone>();
  tell(stop(90));
  EXPECT_THAT(running(), SizeIs(1));
  auto const gone = take<model::InstanceGone>();
  ASSERT_THAT(gone, SizeIs(1));
  EXPECT_EQ(gone[0].token, 90u);
}

TEST_F(LeasesTest, gives_back_also_what_nobody_asked_for) {
  grant();
  tell(offer(100));
  take<model::InstanceGone>();
  step(StopServices{});
  pass(3s);
  EXPECT_THAT(take<model::InstanceGone>(), ElementsAre(model::InstanceGone{{77}, kUid, 1, 100}));
  EXPECT_TRUE(durable_.slots.at({kUid, 1}).is_refused);
}

TEST_F(LeasesTest, refuses_what_it_gave_back_also_after_a_restart) {
  grant();
  tell(stop(100));
  start_agent();
  grant();
  said_.clear();
  tell(offer(100));
  tell(offer(99));
  for (auto const& verdict : take<model::Verdict>()) EXPECT_FALSE(verdict.admitted);
  EXPECT_THAT(containers_, IsEmpty());
  tell(offer(101));
  EXPECT_THAT(running(), SizeIs(1));
}

TEST_F(LeasesTest, goes_on_with_a_stop_that_a_restart_has_interrupted) {
  grant();
  tell(offer(100));
  auto const before = containers_;
  tell(stop(100));
  containers_ = before;  // the process died before the engine heard of it
  said_.clear();
  start_agent();
  EXPECT_THAT(containers_, IsEmpty());
  EXPECT_THAT(take<model::FencesStored>().at(0).all, IsEmpty());
  tell(stop(100));
  EXPECT_THAT(take<model::InstanceGone>(), ElementsAre(model::InstanceGone{{77}, kUid, 1, 100}));
}

TEST_F(LeasesTest, forgets_old_refusals_by_refusing_all_that_is_as_old) {
  for (std::uint64_t token = 1; token <= 2000; ++token) {
    tell(model::StopInstance{kFence, {token}, {1, static_cast<std::int64_t>(token)}, 1, Reason::ScaledDown, token});
  }
  EXPECT_LE(durable_.slots.size(), 1024U);
  EXPECT_THAT(take<model::InstanceGone>(), SizeIs(2000));
  said_.clear();
  auto old = offer(1);
  old.uid = {1, 1};
  tell(old);
  EXPECT_FALSE(take<model::Verdict>().at(0).admitted);
  tell(offer(3000));
  EXPECT_TRUE(take<model::Verdict>().at(0).admitted);
}

TEST_F(LeasesTest, goes_on_after_a_restart_until_the_end_that_the_guard_knows) {
  grant();
  tell(offer(100));
  auto const end = file_.front().end;
  pass(5s);
  start_agent();
  EXPECT_THAT(running(), ElementsAre("c1"));
  pass(end - now_.monotonic - 200ms);
  EXPECT_THAT(running(), SizeIs(1));
  pass(300ms);
  EXPECT_THAT(running(), IsEmpty());
}

TEST_F(LeasesTest, is_covered_after_a_restart_by_a_grant_for_the_life_that_it_remembers) {
  grant();
  tell(offer(100));
  start_agent();
  for (int i = 0; i < 30; ++i) {
    pass(1s);
    grant();
  }
  EXPECT_THAT(running(), ElementsAre("c1"));
  EXPECT_THAT(graces_, IsEmpty());
}

TEST_F(LeasesTest, ends_what_it_finds_of_another_boot) {
  grant();
  tell(offer(100));
  for (auto& lease : file_) lease.boot = "b0";
  start_agent();
  EXPECT_THAT(running(), IsEmpty());
}

TEST_F(LeasesTest, tells_the_life_that_it_remembers_when_it_connects) {
  tell(model::Welcome{.cluster = {9}, .incarnation = 4, .masters = {}});
  tell(offer(100, 4));
  agent_.emplace(Options{.has_guard = true}, durable_);
  said_.clear();
  step(MasterJoined{kMaster});
  EXPECT_EQ(take<model::AgentHello>().at(0).incarnation, 4);
}

}  // namespace
}  // namespace davit::agent
