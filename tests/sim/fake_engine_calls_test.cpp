// Calls that fail, are late or stay unanswered, and what becomes of them with their process.
#include "sim/fake_engine_harness.hpp"

namespace davit::sim {
namespace {

using model::ContainerState;
using testing::SizeIs;
namespace error = model::engine_error;
using Fault = FakeDocker::Fault;

// ---- one call

TEST_F(FakeEngineTest, delays_calls_of_one_kind) {
  docker_.delay<model::StartContainer>(20s);
  auto const id = create("a");
  auto const before = loop_.now().monotonic;
  EXPECT_GE(finish(model::StartContainer{id})->at - before, 20s);
  EXPECT_LT(finish(model::InspectContainer{id})->at - before, 21s);
}

TEST_F(FakeEngineTest, fails_a_call_with_a_given_error_and_does_nothing) {
  auto const id = create("a");
  Error const why{Code::Internal, "the engine answered 500", {}};
  docker_.on_call = [&](auto, auto const&) { return Fault{.error = why}; };
  EXPECT_EQ(finish(model::StartContainer{id})->error(), why);
  EXPECT_EQ(detail(id).state, ContainerState::Created);
}

TEST_F(FakeEngineTest, creates_although_the_outcome_is_unknown_to_its_caller) {
  docker_.on_call = [](auto, auto const&) { return Fault{.error = Error{Code::UnknownOutcome, "lost", {}}, .is_done = true}; };
  EXPECT_EQ(finish(container("a", "ok"))->error().code, Code::UnknownOutcome);
  EXPECT_NE(docker_.find("a"), nullptr);
}

TEST_F(FakeEngineTest, leaves_a_call_unanswered_until_its_deadline) {
  docker_.on_call = [](std::uint64_t number, auto const&) {
    return number <= 2 ? std::optional(Fault{.is_done = number == 2}) : std::nullopt;
  };
  auto const start = loop_.now().monotonic;
  auto const read = ask(model::InspectImage{"ok"}, 5s);
  auto const write = ask(container("a", "ok"), 7s);
  loop_.advance(1min);
  ASSERT_THAT(read->replies, SizeIs(1));
  EXPECT_EQ(read->error().code, Code::Deadline);
  EXPECT_EQ(read->error().field, error::kEngineAway);
  EXPECT_EQ(read->at - start, 5s);
  ASSERT_THAT(write->replies, SizeIs(1));
  EXPECT_EQ(write->error().code, Code::UnknownOutcome);
  EXPECT_EQ(write->at - start, 7s);
  EXPECT_NE(docker_.find("a"), nullptr);
}

TEST_F(FakeEngineTest, refuses_a_call_whose_deadline_has_passed) {
  auto const asked = ask(container("a", "ok"), 0s);
  loop_.advance(1s);
  ASSERT_THAT(asked->replies, SizeIs(1));
  EXPECT_EQ(asked->error().code, Code::Deadline);
  EXPECT_EQ(docker_.find("a"), nullptr);
}

// ---- processes

TEST_F(FakeEngineTest, carries_out_what_a_dead_process_had_asked_for) {
  auto const asked = ask(container("a", "ok"));
  engine_.reset();
  loop_.advance(1min);
  EXPECT_FALSE(asked->is_answered());
  EXPECT_NE(docker_.find("a"), nullptr);
}

TEST_F(FakeEngineTest, ends_a_pull_with_its_process) {
  ask(model::PullImage{"slow"});
  loop_.advance(1s);
  engine_.reset();
  loop_.advance(1min);
  FakeEngine other(docker_);
  auto const asked = ask(other, model::InspectImage{"slow"});
  loop_.advance(1s);
  EXPECT_EQ(asked->error().field, error::kNoSuchImage);
}

TEST_F(FakeEngineTest, tells_a_dead_process_nothing) {
  run("a");
  watch();
  hints_.clear();
  int told = 0;
  auto const reader = engine_->read_logs({.container = "a", .follow = true}, [&](auto const&) { ++told; }, [&](Status const&) { ++told; });
  loop_.advance(1s);
  engine_->stop();
  docker_.kill("a", 1);
  docker_.crash(FakeDocker::Fate::LiveOn);
  loop_.advance(1min);
  EXPECT_EQ(told, 0);
  EXPECT_THAT(hints_, testing::IsEmpty());
}

TEST_F(FakeEngineTest, tells_every_process_of_an_event) {
  watch();
  FakeEngine other(docker_);
  int heard = 0;
  other.watch([&](model::EngineHint const& hint) { heard += std::holds_alternative<model::ContainerTouched>(hint); });
  auto const id = create("a");
  docker_.touch("a");
  loop_.run_until_idle();
  EXPECT_EQ(heard, 1);
  EXPECT_EQ(count<model::ContainerTouched>(), 1);
}

}  // namespace
}  // namespace davit::sim
