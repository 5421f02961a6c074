// The faults of the simulated engine. What it does without them is the engine suite's (tests/conformance/engine).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/fake_engine.hpp"
#include "sim/virtual_loop.hpp"

namespace davit::sim {
namespace {

using model::ContainerState;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
namespace error = model::engine_error;
using Fate = FakeDocker::Fate;
using Fault = FakeDocker::Fault;

class FakeEngineTest : public testing::Test {
 protected:
  struct Asked {
    std::vector<Result<model::EngineReply>> replies;
    Monotonic at{};

    bool is_answered() const { return !replies.empty(); }
    Error error() const { return replies.empty() ? Error{} : replies.at(0) ? Error{} : replies.at(0).error(); }
  };

  // By a process that was there from the beginning.
  std::shared_ptr<Asked> ask(model::EngineCall call, Duration limit = 60s) { return ask(*engine_, std::move(call), limit); }
  std::shared_ptr<Asked> ask(FakeEngine& engine, model::EngineCall call, Duration limit = 60s) {
    auto asked = std::make_shared<Asked>();
    engine.call(std::move(call), loop_.now().monotonic + limit, [this, asked](auto reply) {
      asked->replies.push_back(std::move(reply));
      asked->at = loop_.now().monotonic;
    });
    return asked;
  }
  std::shared_ptr<Asked> finish(model::EngineCall call, Duration limit = 60s) {
    auto const asked = ask(std::move(call), limit);
    EXPECT_TRUE(loop_.run_until([&] { return asked->is_answered(); }, limit));
    return asked;
  }
  model::CreateContainer container(std::string const& name, std::string const& image) {
    return {.name = name, .image = image, .spec = std::make_shared<model::ServiceSpec const>(), .labels = {{"davit.cluster", "99"}}};
  }
  std::string create(std::string const& name, std::string const& image = "ok") {
    auto const asked = finish(container(name, image));
    return asked->replies.at(0) ? std::get<model::Created>(*asked->replies.at(0)).id : asked->error().message;
  }
  std::string run(std::string const& name, std::string const& image = "ok") {
    auto const id = create(name, image);
    EXPECT_TRUE(finish(model::StartContainer{id})->replies.at(0));
    return id;
  }
  model::ContainerDetail const& detail(std::string const& id) { return docker_.find(id)->detail; }

  void watch() {
    engine_->watch([this](model::EngineHint hint) { hints_.push_back(std::move(hint)); });
    loop_.run_until_idle();
  }
  template <class Hint>
  std::ptrdiff_t count() const {
    return std::ranges::count_if(hints_, [](auto const& hint) { return std::holds_alternative<Hint>(hint); });
  }

  VirtualLoop loop_;
  FakeDocker docker_{loop_};
  std::unique_ptr<FakeEngine> engine_ = std::make_unique<FakeEngine>(docker_);
  std::vector<model::EngineHint> hints_;
};

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

// ---- pulls and the disk

TEST_F(FakeEngineTest, tells_the_progress_of_a_slow_pull) {
  watch();
  auto const before = loop_.now().monotonic;
  auto const pulled = finish(model::PullImage{"slow"});
  ASSERT_TRUE(pulled->replies.at(0));
  EXPECT_GE(pulled->at - before, 5s);
  ASSERT_EQ(count<model::PullProgress>(), 19) << "four times a second";
  auto const last = std::get<model::PullProgress>(hints_.back());
  EXPECT_EQ(last.reference, "slow");
  EXPECT_EQ(last.done_bytes, last.total_bytes / 100 * 95);
  EXPECT_TRUE(finish(model::InspectImage{"slow"})->replies.at(0));
}

TEST_F(FakeEngineTest, gives_up_a_pull_at_its_deadline) {
  auto const pulled = finish(model::PullImage{"slow"}, 2s);
  EXPECT_EQ(pulled->error().code, Code::Deadline);
  EXPECT_EQ(pulled->error().field, error::kRegistry);
  loop_.advance(1min);
  EXPECT_FALSE(finish(model::InspectImage{"slow"})->replies.at(0));
}

TEST_F(FakeEngineTest, keeps_what_was_pulled_by_its_name_and_its_digest) {
  docker_.remove_image("known:1");
  EXPECT_FALSE(finish(model::InspectImage{"known:1"})->replies.at(0));
  EXPECT_TRUE(finish(model::PullImage{"known:1"})->replies.at(0));
  EXPECT_TRUE(finish(model::InspectImage{"known@sha256:abc"})->replies.at(0));
}

TEST_F(FakeEngineTest, has_no_space_on_a_full_disk) {
  docker_.set_disk_full(true);
  EXPECT_EQ(finish(container("a", "ok"))->error().code, Code::Full);
  EXPECT_EQ(finish(model::PullImage{"slow"})->error().code, Code::Full);
  docker_.set_disk_full(false);
  EXPECT_TRUE(finish(container("a", "ok"))->replies.at(0));
}

TEST_F(FakeEngineTest, comes_back_with_an_empty_disk) {
  finish(model::PullImage{"slow"});
  run("a");
  docker_.crash(Fate::Die);
  docker_.wipe_disk();
  docker_.start();
  EXPECT_THAT(docker_.containers(), IsEmpty());
  EXPECT_FALSE(finish(model::InspectImage{"slow"})->replies.at(0));
}

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
  docker_.kill_for_memory("a");
  EXPECT_TRUE(detail(id).oom_killed);
  finish(model::StartContainer{id});
  loop_.advance(950ms);  // the first run would have ended
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

// ---- the engine hangs

TEST_F(FakeEngineTest, does_late_what_was_asked_of_it_while_it_hung) {
  docker_.freeze();
  auto const asked = ask(container("a", "ok"), 5s);
  loop_.advance(6s);
  ASSERT_THAT(asked->replies, SizeIs(1));
  EXPECT_EQ(asked->error().code, Code::UnknownOutcome);
  EXPECT_EQ(docker_.find("a"), nullptr);
  docker_.thaw();
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
  loop_.advance(10s);
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
