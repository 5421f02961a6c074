// What an agent tells of its instances' use, and how often it asks for it.
#include "core/agent/agent_harness.hpp"

namespace davit::agent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class MeasuringTest : public AgentTest {
 protected:
  void run(InstanceId id, std::uint32_t slot) {
    auto order = offer(0, 1, id);
    order.slot = slot;
    tell(order);
  }
  void uses(Duration cpu_time, std::int64_t mebibytes) { stats_ = model::ContainerStats{cpu_time, {mebibytes << 20}}; }
  std::vector<model::MeasuredInstance> told() {
    std::vector<model::MeasuredInstance> all;
    for (auto const& message : take<model::InstancesMeasured>()) all.insert(all.end(), message.some.begin(), message.some.end());
    return all;
  }
  void pass_a_round() {
    said_.clear();
    pass(10s);
  }
};

TEST_F(MeasuringTest, tells_the_mean_since_the_start_and_then_since_the_last_time) {
  pass(5s);
  run({77}, 1);
  uses(2s, 64);
  pass(4900ms);
  EXPECT_THAT(measured_, IsEmpty()) << "each ten seconds, counted from the agent's start";
  pass(100ms);
  EXPECT_THAT(told(), ElementsAre(model::MeasuredInstance{{77}, kUid, 1, {400, 64 << 10}}));
  uses(7s, 65);
  pass_a_round();
  EXPECT_THAT(told(), ElementsAre(model::MeasuredInstance{{77}, kUid, 1, {500, 65 << 10}}));
}

TEST_F(MeasuringTest, says_nothing_of_what_has_hardly_changed) {
  run({77}, 1);
  uses(1s, 64);
  pass(10s);
  EXPECT_THAT(told(), SizeIs(1));
  uses(1s + 1050ms, 66);
  pass_a_round();
  EXPECT_THAT(told(), IsEmpty()) << "five per cent more";
  uses(1s + 1050ms + 3s, 66);
  pass_a_round();
  EXPECT_THAT(told(), SizeIs(1));
}

TEST_F(MeasuringTest, tells_everything_to_a_master_that_has_fenced_anew) {
  run({77}, 1);
  run({78}, 2);
  uses(1s, 64);
  pass(10s);
  EXPECT_THAT(told(), SizeIs(2));
  uses(2s, 64);
  tell(model::FenceShards{.round = 2, .fences = {kFence}});
  pass_a_round();
  EXPECT_THAT(told(), SizeIs(2));
  uses(3s, 64);
  pass_a_round();
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(MeasuringTest, begins_anew_with_the_container_of_a_restart) {
  run({77}, 1);
  uses(9s, 64);
  pass(10s);
  containers_.at("c1").state = model::ContainerState::Exited;
  step(EngineHinted{model::ContainerTouched{"c1"}});
  uses(1s, 64);
  pass_a_round();
  auto const all = told();
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_NEAR(all[0].use.millicores, 105, 6) << "a second of processor since the start half a second after the end";
  EXPECT_EQ(measured_.back(), "c2");
}

TEST_F(MeasuringTest, tells_the_same_use_of_a_restarted_instance_again) {
  run({77}, 1);
  uses(1s, 64);
  pass(10s);
  auto const before = told();
  ASSERT_THAT(before, SizeIs(1));
  containers_.at("c1").state = model::ContainerState::Exited;
  step(EngineHinted{model::ContainerTouched{"c1"}});
  pass_a_round();
  auto const after = told();
  ASSERT_THAT(after, SizeIs(1)) << "masters forget the use of what does not run";
  EXPECT_EQ(after[0].use, before[0].use);
}

TEST_F(MeasuringTest, asks_for_none_that_does_not_run_and_takes_no_zeros_for_a_use) {
  uses(0s, 0);
  run({77}, 1);
  pass(10s);
  EXPECT_THAT(measured_, ElementsAre("c1"));
  EXPECT_THAT(told(), IsEmpty()) << "what an engine says of a container that has just ended";
  tell(stop(0));
  pass_a_round();
  EXPECT_THAT(measured_, SizeIs(1));
}

TEST_F(MeasuringTest, goes_on_with_the_others_where_one_cannot_be_measured) {
  run({77}, 1);
  run({78}, 2);
  stats_ = fail(Code::Deadline, "the engine hangs");
  pass(10s);
  EXPECT_THAT(measured_, SizeIs(2));
  uses(2s, 64);
  pass_a_round();
  EXPECT_THAT(told(), SizeIs(2));
}

}  // namespace
}  // namespace davit::agent
