// An engine that hangs, and one that crashes alone or with its machine.
#include "sim/fake_engine_harness.hpp"

namespace davit::sim {
namespace {

using model::ContainerState;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
namespace error = model::engine_error;
using Fate = FakeDocker::Fate;

// ---- the engine hangs

TEST_F(FakeEngineTest, does_late_what_was_asked_of_it_while_it_hung) {
  docker_.freeze();
  auto const asked = ask(container("a", "ok"), 5s);
  loop_.advance(6s);
  ASSERT_THAT(asked->replies, SizeIs(1));
  EXPECT_EQ(asked->error().code, Code::UnknownOutcome);
  EXPECT_EQ(docker_.find("a"), nullptr);
  docker_.thaw();
  loop_.run_until_idle();
  EXPECT_NE(docker_.find("a"), nullptr);
  loop_.advance(1s);
  EXPECT_THAT(asked->replies, SizeIs(1));
}

TEST_F(FakeEngineTest, answers_after_a_short_hang_whoever_still_waits) {
  auto const asked = ask(container("a", "ok"));
  docker_.freeze();
  loop_.advance(5s);
  EXPECT_FALSE(asked->is_answered());
  docker_.thaw();
  loop_.advance(1s);
  EXPECT_TRUE(asked->replies.at(0));
}

TEST_F(FakeEngineTest, holds_events_back_during_a_short_hang) {
  watch();
  auto const id = run("a");
  hints_.clear();
  docker_.freeze();
  docker_.kill("a", 1);
  loop_.advance(5s);
  EXPECT_THAT(hints_, IsEmpty());
  docker_.thaw();
  loop_.run_until_idle();
  EXPECT_EQ(count<model::ContainerTouched>(), 1);
  EXPECT_THAT(hints_, SizeIs(1));
}

TEST_F(FakeEngineTest, is_taken_for_gone_after_a_long_hang) {
  watch();
  run("a");
  hints_.clear();
  docker_.freeze();
  docker_.kill("a", 1);
  loop_.advance(11s);
  EXPECT_EQ(count<model::EngineDown>(), 1);
  docker_.thaw();
  loop_.run_until_idle();
  EXPECT_EQ(count<model::EngineUp>(), 1);
  EXPECT_THAT(hints_, SizeIs(2)) << "the connection that the event was written to is closed";
}

TEST_F(FakeEngineTest, stands_still_with_its_pulls) {
  auto const pulled = ask(model::PullImage{"slow"});
  loop_.advance(1s);
  docker_.freeze();
  loop_.advance(20s);
  EXPECT_FALSE(pulled->is_answered());
  docker_.thaw();
  loop_.advance(3s);
  EXPECT_FALSE(pulled->is_answered()) << "four seconds were left";
  loop_.advance(2s);
  EXPECT_TRUE(pulled->is_answered());
}

// ---- the engine crashes

TEST_F(FakeEngineTest, loses_what_was_on_its_way_when_it_crashes) {
  auto const write = ask(container("a", "ok"));
  auto const read = ask(model::ReadEngineInfo{});
  docker_.crash(Fate::LiveOn);
  loop_.advance(1ms);
  EXPECT_EQ(write->error().code, Code::UnknownOutcome);
  EXPECT_EQ(read->error().code, Code::Unavailable);
  docker_.start();
  loop_.advance(1min);
  EXPECT_THAT(write->replies, SizeIs(1));
  EXPECT_EQ(docker_.find("a"), nullptr) << "it had not arrived";
}

TEST_F(FakeEngineTest, is_away_until_it_starts_again) {
  watch();
  auto const id = run("a");
  docker_.crash(Fate::LiveOn);
  auto const away = finish(model::InspectContainer{id});
  EXPECT_EQ(away->error().code, Code::Unavailable);
  EXPECT_EQ(away->error().field, error::kEngineAway);
  EXPECT_EQ(count<model::EngineDown>(), 1);
  EXPECT_THAT(docker_.running(), ElementsAre("a"));
  hints_.clear();
  docker_.start();
  EXPECT_TRUE(finish(model::InspectContainer{id})->replies.at(0));
  EXPECT_EQ(count<model::EngineUp>(), 1);
}

TEST_F(FakeEngineTest, takes_its_containers_along_when_the_machine_crashes) {
  watch();
  auto const running = run("a", "done");
  auto const created = create("b");
  hints_.clear();
  docker_.crash(Fate::Die);
  docker_.start();
  loop_.advance(5s);
  EXPECT_EQ(detail(running).state, ContainerState::Exited);
  EXPECT_EQ(detail(running).exit_code, 255);
  EXPECT_EQ(detail(created).state, ContainerState::Created);
  EXPECT_EQ(count<model::ContainerTouched>(), 0);
}

TEST_F(FakeEngineTest, may_be_away_already_when_its_machine_crashes) {
  watch();
  auto const id = run("a");
  docker_.crash(Fate::LiveOn);
  docker_.crash(Fate::Die);
  loop_.advance(1s);
  EXPECT_EQ(count<model::EngineDown>(), 1);
  EXPECT_EQ(detail(id).state, ContainerState::Exited);
}

TEST_F(FakeEngineTest, forgets_a_stop_that_it_was_waiting_for) {
  auto const id = run("a", "stubborn");
  auto const stopped = ask(model::StopContainer{id, 10s});
  loop_.advance(1s);
  docker_.crash(Fate::LiveOn);
  docker_.start();
  loop_.advance(1min);
  EXPECT_EQ(stopped->error().code, Code::UnknownOutcome);
  EXPECT_EQ(detail(id).state, ContainerState::Running);
}

TEST_F(FakeEngineTest, ends_logs_with_an_error_when_it_crashes) {
  auto const id = run("a");
  std::optional<Status> end;
  auto const reader =
      engine_->read_logs({.container = id, .follow = true}, [](auto const&) {}, [&](Status status) { end = std::move(status); });
  loop_.advance(1s);
  EXPECT_FALSE(end);
  docker_.crash(Fate::LiveOn);
  loop_.advance(1s);
  ASSERT_TRUE(end && !*end);
  EXPECT_EQ(end->error().field, error::kEngineAway);
}

TEST_F(FakeEngineTest, may_be_destroyed_while_readers_and_callers_are_left) {
  auto docker = std::make_unique<FakeDocker>(loop_);
  auto engine = std::make_unique<FakeEngine>(*docker);
  docker->add_foreign("a", {{"davit.cluster", "99"}});
  engine->watch([](auto const&) { ADD_FAILURE() << "of an engine that is no more"; });
  auto reader = engine->read_logs({.container = "a"}, [](auto const&) {}, [](Status const&) { ADD_FAILURE() << "likewise"; });
  auto const asked = ask(*engine, model::ReadEngineInfo{});
  engine.reset();
  docker.reset();
  loop_.advance(1min);
  reader->resume();
  loop_.advance(1s);
  EXPECT_FALSE(asked->is_answered());
}

}  // namespace
}  // namespace davit::sim
