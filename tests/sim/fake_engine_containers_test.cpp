// Containers that fail by themselves, and events that get lost.
#include "sim/fake_engine_harness.hpp"

namespace davit::sim {
namespace {

using model::ContainerState;
using testing::IsEmpty;
namespace error = model::engine_error;

// ---- containers

TEST_F(FakeEngineTest, refuses_to_start_a_broken_container) {
  auto const id = create("a", "broken");
  EXPECT_EQ(finish(model::StartContainer{id})->error().field, error::kBadConfig);
  EXPECT_EQ(detail(id).error, "exec: not found");
}

TEST_F(FakeEngineTest, ends_containers_by_themselves_with_their_code) {
  watch();
  auto const crashing = run("a", "crash");
  auto const done = run("b", "done");
  auto const greedy = run("c", "greedy");
  loop_.advance(2s);
  EXPECT_EQ(detail(crashing).exit_code, 3);
  EXPECT_EQ(detail(done).exit_code, 0);
  EXPECT_EQ(detail(greedy).exit_code, 137);
  EXPECT_TRUE(detail(greedy).oom_killed);
  EXPECT_FALSE(detail(crashing).oom_killed);
  EXPECT_EQ(count<model::ContainerTouched>(), 6) << "three starts, three ends";
}

TEST_F(FakeEngineTest, forgets_the_end_of_a_run_that_was_cut_short) {
  auto const id = run("a", "done");
  loop_.advance(500ms);
  docker_.kill_for_memory("a");
  EXPECT_TRUE(detail(id).oom_killed);
  finish(model::StartContainer{id});
  loop_.advance(700ms);  // the first run would have ended
  EXPECT_EQ(detail(id).state, ContainerState::Running);
  EXPECT_FALSE(detail(id).oom_killed);
}

TEST_F(FakeEngineTest, kills_a_stubborn_container_after_its_grace) {
  auto const id = run("a", "stubborn");
  auto const before = loop_.now().monotonic;
  auto const stopped = finish(model::StopContainer{id, 10s});
  EXPECT_TRUE(stopped->replies.at(0));
  EXPECT_GE(stopped->at - before, 10s);
  EXPECT_EQ(detail(id).exit_code, 137);
}

// ---- events

TEST_F(FakeEngineTest, loses_events_for_a_while) {
  watch();
  auto const id = create("a");
  hints_.clear();
  docker_.lose_events(1);
  docker_.touch("a");
  loop_.run_until_idle();
  EXPECT_THAT(hints_, IsEmpty());
  docker_.lose_events(0);
  docker_.touch("a");
  loop_.run_until_idle();
  EXPECT_EQ(count<model::ContainerTouched>(), 1);
}

TEST_F(FakeEngineTest, loses_some_events_and_the_same_with_the_same_seed) {
  auto const heard = [](std::uint64_t seed) {
    VirtualLoop loop;
    FakeDocker docker(loop, {.seed = seed});
    FakeEngine engine(docker);
    std::vector<bool> touched;
    docker.add_foreign("a", {{"davit.cluster", "99"}});
    docker.lose_events(4);
    engine.watch([&](model::EngineHint const&) { touched.back() = true; });
    for (int i = 0; i < 100; ++i) touched.push_back(false), docker.touch("a"), loop.run_until_idle();
    return touched;
  };
  auto const first = heard(1);
  EXPECT_THAT(std::ranges::count(first, false), testing::AllOf(testing::Gt(10), testing::Lt(40)));
  EXPECT_EQ(heard(1), first);
  EXPECT_NE(heard(2), first);
}

TEST_F(FakeEngineTest, says_nothing_of_containers_that_are_not_davits) {
  watch();
  hints_.clear();
  docker_.add_foreign("stranger", {});
  docker_.kill("stranger", 1);
  loop_.run_until_idle();
  EXPECT_THAT(hints_, IsEmpty());
}

}  // namespace
}  // namespace davit::sim
