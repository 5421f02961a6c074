// Every port call fails once, in each way it can, in the middle of an ordinary life; and the corners that were found by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include <fmt/core.h>

#include "codec/records.hpp"
#include "machine/world.hpp"

namespace davit::sim {
namespace {

using model::ContainerState;
using model::Reason;
using service::State;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
namespace error = model::engine_error;

model::ServiceSpec spec_of(std::string image, std::int64_t instances) {
  model::ServiceSpec spec;
  spec.image = std::move(image);
  spec.instances = instances;
  spec.drain_delay = 0s;
  spec.update_config.monitor = 1s;
  return spec;
}

model::ServiceSpec with_port(model::ServiceSpec spec, std::optional<std::int64_t> published = {}) {
  spec.ports.push_back({.target = 80, .published = published});
  return spec;
}

Error away() { return {Code::Unavailable, "connection refused", std::string(error::kEngineAway)}; }
Error no_answer_in_time() { return {Code::Deadline, "no answer in time", std::string(error::kEngineAway)}; }
Error unknown() { return {Code::UnknownOutcome, "the connection was lost", {}}; }
Error internal() { return {Code::Internal, "the engine answered 500", {}}; }

template <class Wanted>
bool is(model::EngineCall const& call) {
  return std::holds_alternative<Wanted>(call);
}

std::size_t keys(World& world, std::string const& part) {
  auto const all = world.store().data().range({.prefix = std::string(model::kRoot)});
  return static_cast<std::size_t>(std::ranges::count_if(all->items, [&](auto const& item) { return item.key.contains(part); }));
}

class FaultsTest : public testing::Test {
 protected:
  FaultsTest() { world_.start_process(); }

  bool until(std::function<bool()> const& condition, Duration limit = 60s) { return world_.loop.run_until(condition, limit); }
  service::Instance const& instance(std::string const& service, std::size_t index = 0) {
    return world_.master().find_service(service)->instances.at(index);
  }
  std::int64_t count(std::string const& name) { return static_cast<std::int64_t>(running(name).size()); }
  std::vector<std::string> running(std::string const& service) {
    std::vector<std::string> names;
    for (auto const& name : world_.docker.running()) {
      if (name.starts_with(service + ".")) names.push_back(name);
    }
    return names;
  }
  // The first call that matches fails so, once.
  void fail_once(std::function<bool(model::EngineCall const&)> matches, FakeDocker::Fault fault) {
    world_.docker.on_call = [matches = std::move(matches), fault, spent = false](auto, auto const& call) mutable {
      return !spent && matches(call) ? (spent = true, std::optional(fault)) : std::nullopt;
    };
  }
  Result<master::Applied> command(std::string request_id, service::CommandBody body, std::string service = "web") {
    return world_.command({.service = std::move(service), .request_id = std::move(request_id), .fingerprint = 1, .body = std::move(body)});
  }
  static model::SpecRef shared(model::ServiceSpec spec) { return std::make_shared<model::ServiceSpec const>(std::move(spec)); }

  World world_;
};

// ---- one ordinary life, in which each call fails in turn

// Creates, pulls, updates, scales, heals, restarts the process and removes. What a user asks is asked again when it failed.
class OrdinaryLife {
 public:
  World world;

  void run() {
    world.start_process();
    ask({.service = "web", .body = service::Create{shared(with_port(spec_of("slow:1", 2)))}});
    ask({.service = "old", .body = service::Create{shared(spec_of("well", 2))}});
    settle("created");
    ask({.service = "web", .body = service::Replace{shared(with_port(spec_of("known:2", 2)))}});
    settle("updated");
    ask({.service = "web", .body = service::Replace{shared(with_port(spec_of("known:2", 3)))}});
    if (auto const names = world.docker.running(); !names.empty()) world.docker.kill(names.front(), 137);
    world.loop.advance(40s);
    settle("scaled and healed");
    world.kill_process();
    world.start_process();
    ask({.service = "old", .body = service::Remove{}});
    settle("restarted and removed");
    check();
  }

 private:
  static model::SpecRef shared(model::ServiceSpec spec) { return std::make_shared<model::ServiceSpec const>(std::move(spec)); }

  void ask(service::Command const& command) {
    for (int tries = 0; tries < 5; ++tries) {
      if (world.command(command)) return;
      world.loop.advance(1s);
    }
    ADD_FAILURE() << "never accepted: " << (world.notes().empty() ? "" : world.notes().back());
  }
  void settle(char const* when) { EXPECT_TRUE(world.settle(3min)) << when << world.pending() << "\n" << world.status("web").message; }
  void check() {
    world.loop.advance(1min);  // a list of what is there
    settle("at the end");
    EXPECT_EQ(world.status("web").state, State::Running);
    EXPECT_EQ(world.status("web").ready, 3);
    EXPECT_EQ(world.master().find_service("old"), nullptr);
    EXPECT_THAT(world.docker.running(), SizeIs(3));
    EXPECT_LE(world.docker.containers().size(), 6U) << "each slot's last container may be kept";
    EXPECT_EQ(world.master().nodes().at(0).instances, 3);
    EXPECT_EQ(keys(world, "nodes/"), 1U);
  }
};

std::uint64_t calls_of_a_life() {
  static std::uint64_t const calls = [] {
    OrdinaryLife life;
    life.run();
    return life.world.docker.calls();
  }();
  return calls;
}
std::uint64_t commits_of_a_life() {
  static std::uint64_t const commits = [] {
    OrdinaryLife life;
    life.run();
    return life.world.commits();
  }();
  return commits;
}

struct EngineFault {
  char const* name;
  FakeDocker::Fault fault;
};
void PrintTo(EngineFault const& each, std::ostream* out) { *out << each.name; }
class EachEngineCall : public testing::TestWithParam<EngineFault> {};

TEST_P(EachEngineCall, may_fail_once) {
  auto const calls = calls_of_a_life();
  ASSERT_GT(calls, 50U);
  for (std::uint64_t k = 1; k <= calls; ++k) {
    OrdinaryLife life;
    std::size_t kind = 99;
    life.world.docker.on_call = [&, k](std::uint64_t number, model::EngineCall const& call) -> std::optional<FakeDocker::Fault> {
      if (number != k) return std::nullopt;
      kind = call.index();
      return GetParam().fault;
    };
    auto const failures = testing::UnitTest::GetInstance()->current_test_info()->result()->total_part_count();
    life.run();
    bool const has_failed = testing::UnitTest::GetInstance()->current_test_info()->result()->total_part_count() > failures;
    if (has_failed) ADD_FAILURE() << "^ call " << k << " of " << calls << ", of the " << kind << ". kind of EngineCall";
  }
}
INSTANTIATE_TEST_SUITE_P(Ways, EachEngineCall,
                         testing::Values(EngineFault{"away", {away(), false}}, EngineFault{"late", {no_answer_in_time(), false}},
                                         EngineFault{"lost", {unknown(), false}}, EngineFault{"answer_lost", {unknown(), true}}),
                         [](auto const& each) { return std::string(each.param.name); });

struct CommitFault {
  char const* name;
  World::StoreFault fault;
};
void PrintTo(CommitFault const& each, std::ostream* out) { *out << each.name; }
class EachCommit : public testing::TestWithParam<CommitFault> {};

TEST_P(EachCommit, may_fail_once) {
  auto const commits = commits_of_a_life();
  ASSERT_GT(commits, 8U);
  for (std::uint64_t k = 1; k <= commits; ++k) {
    OrdinaryLife life;
    life.world.on_commit = [k](std::uint64_t number) { return number == k ? std::optional(GetParam().fault) : std::nullopt; };
    auto const failures = testing::UnitTest::GetInstance()->current_test_info()->result()->total_part_count();
    life.run();
    bool const has_failed = testing::UnitTest::GetInstance()->current_test_info()->result()->total_part_count() > failures;
    if (has_failed) ADD_FAILURE() << "^ commit " << k << " of " << commits;
  }
}
INSTANTIATE_TEST_SUITE_P(Ways, EachCommit,
                         testing::Values(CommitFault{"full", {Code::Full, false}}, CommitFault{"unavailable", {Code::Unavailable, false}},
                                         CommitFault{"late", {Code::Deadline, false}}, CommitFault{"lost", {Code::UnknownOutcome, false}},
                                         CommitFault{"answer_lost", {Code::UnknownOutcome, true}}),
                         [](auto const& each) { return std::string(each.param.name); });

// ---- the same things at every moment

class RemovedAt : public testing::TestWithParam<std::tuple<char const*, int>> {};
TEST_P(RemovedAt, leaves_nothing) {
  auto const [image, moment] = GetParam();
  World world(static_cast<std::uint64_t>(moment + 1));
  world.start_process();
  ASSERT_TRUE(world.create("web", with_port(spec_of(image, 4))));
  world.loop.advance(std::chrono::milliseconds(moment * 37));
  ASSERT_TRUE(world.remove("web"));
  EXPECT_TRUE(world.loop.run_until([&] { return world.master().find_service("web") == nullptr; }, 2min)) << world.pending();
  EXPECT_TRUE(world.settle(1min)) << world.pending();
  EXPECT_THAT(world.docker.containers(), IsEmpty());
  EXPECT_EQ(world.master().nodes().at(0).instances, 0);
}
INSTANTIATE_TEST_SUITE_P(Moments, RemovedAt,
                         testing::Combine(testing::Values("ok", "crash", "slow", "none", "broken", "sick"), testing::Range(0, 40)));

class EngineAwayAt : public testing::TestWithParam<int> {};
TEST_P(EngineAwayAt, an_update_comes_through) {
  World world(static_cast<std::uint64_t>(GetParam() + 1));
  world.start_process();
  ASSERT_TRUE(world.create("web", spec_of("ok:1", 3)));
  ASSERT_TRUE(world.settle(30s));
  ASSERT_TRUE(world.replace("web", spec_of("slow:2", 3)));
  world.loop.advance(std::chrono::milliseconds(GetParam() * 97));
  world.docker.crash(FakeDocker::Fate::LiveOn);
  world.loop.advance(20s);
  world.docker.start();
  EXPECT_TRUE(world.settle(5min)) << world.pending() << world.status("web").message;
  EXPECT_EQ(world.status("web").state, State::Running);
  EXPECT_THAT(world.docker.running(), SizeIs(3));
}
INSTANTIATE_TEST_SUITE_P(Moments, EngineAwayAt, testing::Range(0, 120));

// ---- the store

TEST_F(FaultsTest, knows_its_own_write_after_an_unknown_outcome) {
  world_.on_commit = [first = world_.commits() + 1](std::uint64_t number) {
    return number == first ? std::optional(World::StoreFault{Code::UnknownOutcome, true}) : std::nullopt;
  };
  auto const applied = world_.create("web", spec_of("ok", 1));
  EXPECT_TRUE(applied) << applied.error().message;
  EXPECT_EQ(world_.master().phase(), master::Phase::Active);
  EXPECT_TRUE(world_.settle(30s)) << world_.pending();
}

TEST_F(FaultsTest, waits_between_tries_while_outcomes_stay_unknown) {
  auto const first = world_.commits() + 1;
  world_.on_commit = [first](std::uint64_t number) {
    return number < first + 500 ? std::optional(World::StoreFault{Code::UnknownOutcome, false}) : std::nullopt;
  };
  auto const before = world_.loop.now().monotonic;
  world_.send({.service = "web", .body = service::Create{shared(spec_of("ok", 1))}});
  ASSERT_TRUE(until([&] { return world_.commits() >= first + 400; }, 1h));
  EXPECT_GT(world_.loop.now().monotonic - before, 1s) << "400 tries in no time keep the store and the control thread busy";
}

TEST_F(FaultsTest, survives_a_failed_creation_in_the_turn_in_which_all_services_are_planned) {
  // Both come before one tick: the plan of a service that is gone by then must not be looked for.
  for (int i = 0; i < 50; ++i) {
    world_.on_commit = [first = world_.commits() + 1](std::uint64_t number) {
      return number == first ? std::optional(World::StoreFault{Code::Full, false}) : std::nullopt;
    };
    world_.send({.service = "web", .body = service::Create{shared(spec_of("ok", 1))}});
    world_.docker.crash(FakeDocker::Fate::LiveOn);
    world_.docker.start();
    world_.loop.advance(std::chrono::milliseconds(i * 3));
    EXPECT_EQ(world_.master().find_service("web"), nullptr);
  }
}

TEST_F(FaultsTest, says_that_the_disk_is_full_also_while_it_starts) {
  ASSERT_TRUE(world_.create("web", spec_of("ok", 1)));
  ASSERT_TRUE(world_.settle(30s));
  auto& data = world_.store().data();
  data.set_full(true);
  world_.kill_process();
  world_.start_process();
  EXPECT_EQ(world_.replace("web", spec_of("ok", 2)).error().code, Code::Full);
  EXPECT_NE(world_.master().find_service("web"), nullptr);
  data.set_full(false);
  ASSERT_TRUE(until([&] { return world_.master().phase() == master::Phase::Active; }));
  EXPECT_TRUE(world_.replace("web", spec_of("ok", 2)));
  EXPECT_TRUE(world_.settle(1min)) << world_.pending();
}

TEST_F(FaultsTest, acts_again_after_the_store_was_out_of_reach) {
  ASSERT_TRUE(world_.create("web", spec_of("ok", 2)));
  ASSERT_TRUE(world_.settle(30s));
  auto const before = running("web");
  for (auto const away : {1s, 4s, 20s, 120s}) {
    world_.store().set_reachable(false);
    world_.loop.advance(away);
    EXPECT_EQ(running("web"), before);
    world_.store().set_reachable(true);
    ASSERT_TRUE(until([&] { return world_.master().acts_for({0}) && world_.master().acts_for({kShards - 1}); }));
    ASSERT_TRUE(world_.replace("db", spec_of("ok", 1)).has_value() || world_.create("db", spec_of("ok", 1)).has_value());
    ASSERT_TRUE(world_.settle(1min)) << world_.pending();
    EXPECT_EQ(running("web"), before);
  }
}

TEST_F(FaultsTest, obeys_once_the_state_file_can_be_written) {
  ASSERT_TRUE(world_.create("web", spec_of("ok", 1)));
  ASSERT_TRUE(world_.settle(30s));
  world_.kill_process();
  world_.on_save = [] { return fail(Code::Full, "no space left"); };
  world_.start_process();
  world_.loop.advance(5min);
  EXPECT_EQ(count("web"), 1);
  world_.on_save = [] { return Status{}; };
  EXPECT_TRUE(world_.settle(1min)) << world_.pending();
}

TEST_F(FaultsTest, records_its_node_although_the_first_write_failed) {
  World world;
  world.on_commit = [](std::uint64_t number) {
    return number < 16 && number % 2 == 0 ? std::optional(World::StoreFault{Code::Full, false}) : std::nullopt;
  };
  world.start_process();
  ASSERT_TRUE(world.create("web", spec_of("ok", 1)));
  ASSERT_TRUE(world.settle(30s));
  world.loop.advance(5min);
  EXPECT_EQ(keys(world, "nodes/"), 1U);
}

TEST_F(FaultsTest, forgets_removed_services_after_a_while) {
  for (int i = 0; i < 100; ++i) {
    auto const name = fmt::format("s{}", i);
    ASSERT_TRUE(world_.create(name, spec_of("ok", 0)));
    ASSERT_TRUE(world_.remove(name));
    ASSERT_TRUE(until([&] { return world_.master().find_service(name) == nullptr; }));
  }
  world_.loop.advance(1h);
  ASSERT_TRUE(world_.create("web", spec_of("ok", 0)));
  ASSERT_TRUE(world_.remove("web"));
  world_.loop.advance(1min);
  EXPECT_LT(keys(world_, "/gone"), 10U);
}

TEST_F(FaultsTest, journals_a_digest_once) {
  ASSERT_TRUE(world_.create("web", spec_of("known", 6)));
  ASSERT_TRUE(world_.settle(30s));
  EXPECT_EQ(world_.master().find_service("web")->head.digest(), "sha256:abc");
  EXPECT_EQ(world_.master().find_service("web")->head.events, 2U) << "created, image_resolved";
}

TEST_F(FaultsTest, journals_a_digest_after_the_disk_was_full) {
  world_.on_commit = [first = world_.commits() + 2](std::uint64_t number) {
    return number == first ? std::optional(World::StoreFault{Code::Full, false}) : std::nullopt;
  };
  ASSERT_TRUE(world_.create("web", spec_of("known", 1)));
  ASSERT_TRUE(world_.settle(30s));
  world_.loop.advance(10min);
  EXPECT_EQ(world_.master().find_service("web")->head.digest(), "sha256:abc");
}

TEST_F(FaultsTest, leaves_nothing_in_the_store_of_a_service_with_many_events) {
  for (int i = 0; i < 90; ++i) {
    auto spec = spec_of(fmt::format("ok:{}", i / 4), i % 4);
    ASSERT_TRUE(world_.command({.service = "web", .body = service::Replace{shared(spec), true}}));
    world_.loop.advance(5s);
  }
  EXPECT_EQ(keys(world_, "/events/"), 64U);
  EXPECT_LE(keys(world_, "/specs/"), 10U);
  world_.kill_process();
  world_.start_process();
  ASSERT_TRUE(world_.settle(2min)) << world_.pending();
  ASSERT_TRUE(world_.remove("web"));
  ASSERT_TRUE(until([&] { return world_.master().find_service("web") == nullptr; }));
  EXPECT_EQ(keys(world_, "services/"), 1U) << "what repeated requests are told";
}

// ---- requests that are repeated

TEST_F(FaultsTest, does_not_create_again_what_was_removed_since) {
  service::CommandBody const create = service::Create{shared(spec_of("ok", 0))};
  ASSERT_TRUE(command("c1", create));
  ASSERT_TRUE(command("r1", service::Remove{}));
  ASSERT_TRUE(until([&] { return world_.master().find_service("web") == nullptr; }));
  auto const late = command("c1", create);  // a retry that was under way for long
  EXPECT_TRUE(late && late->replayed);
  EXPECT_EQ(world_.master().find_service("web"), nullptr);
}

TEST_F(FaultsTest, does_not_remove_again_what_was_created_since) {
  service::CommandBody const create = service::Create{shared(spec_of("ok", 0))};
  ASSERT_TRUE(command("c1", create));
  ASSERT_TRUE(command("r1", service::Remove{}));
  ASSERT_TRUE(until([&] { return world_.master().find_service("web") == nullptr; }));
  ASSERT_TRUE(command("c2", create));
  auto const late = command("r1", service::Remove{});
  EXPECT_TRUE(late && late->replayed);
  world_.loop.advance(1s);
  EXPECT_NE(world_.master().find_service("web"), nullptr);
}

// ---- lost events and looks

TEST_F(FaultsTest, finds_the_health_that_no_event_told) {
  world_.docker.lose_events(1);
  ASSERT_TRUE(world_.create("web", spec_of("well", 1)));
  EXPECT_TRUE(until([&] { return world_.status("web").ready == 1; }, 2min)) << world_.pending();
}

TEST_F(FaultsTest, looks_again_when_a_look_failed) {
  fail_once(
      [&](auto const& call) {
        return is<model::InspectContainer>(call) && !world_.master().find_service("web")->instances.empty() &&
               instance("web").health == model::Health::Starting;
      },
      {unknown(), false});
  ASSERT_TRUE(world_.create("web", spec_of("well", 1)));
  EXPECT_TRUE(until([&] { return world_.status("web").ready == 1; }, 2min)) << world_.pending();
}

TEST_F(FaultsTest, restarts_a_paused_container_although_it_was_being_looked_at) {
  ASSERT_TRUE(world_.create("web", spec_of("ok", 1)));
  ASSERT_TRUE(world_.settle(30s));
  auto const name = running("web").at(0);
  world_.docker.pause(name, true);
  ASSERT_TRUE(until([&] { return instance("web").reason == Reason::Paused; }));
  for (auto const end = world_.loop.now().monotonic + 11s; world_.loop.now().monotonic < end;) {
    world_.docker.touch(name);  // so that a look is always under way
    world_.loop.advance(1ms);
  }
  EXPECT_TRUE(until([&] { return world_.status("web").ready == 1; }, 2min)) << world_.pending();
}

TEST_F(FaultsTest, leaves_a_container_alone_that_is_paused_no_more) {
  ASSERT_TRUE(world_.create("web", spec_of("ok", 1)));
  ASSERT_TRUE(world_.settle(30s));
  auto const name = running("web").at(0);
  world_.docker.pause(name, true);
  ASSERT_TRUE(until([&] { return instance("web").reason == Reason::Paused; }));
  world_.docker.lose_events(1);
  world_.docker.pause(name, false);
  world_.loop.advance(1min);
  EXPECT_EQ(running("web"), std::vector{name});
}

TEST_F(FaultsTest, leaves_no_container_of_an_attempt_that_it_gave_up) {
  int fault = 0;
  world_.docker.on_call = [&](auto, auto const& call) -> std::optional<FakeDocker::Fault> {
    if (fault == 0 && is<model::CreateContainer>(call)) return fault = 1, FakeDocker::Fault{unknown(), true};
    if (fault == 1 && is<model::InspectContainer>(call)) return fault = 2, FakeDocker::Fault{internal(), false};
    return std::nullopt;
  };
  ASSERT_TRUE(world_.create("web", spec_of("ok", 1)));
  ASSERT_TRUE(until([&] { return world_.status("web").ready == 1; }, 2min)) << world_.pending();
  world_.loop.advance(5min);
  EXPECT_EQ(fault, 2);
  EXPECT_THAT(world_.docker.containers(), SizeIs(1));
}

// ---- stopping

TEST_F(FaultsTest, keeps_to_the_drain_delay_beyond_the_next_list) {
  auto spec = with_port(spec_of("ok", 1));
  spec.drain_delay = 2min;
  ASSERT_TRUE(world_.create("web", spec));
  ASSERT_TRUE(world_.settle(30s));
  ASSERT_TRUE(world_.remove("web"));
  world_.loop.advance(110s);
  EXPECT_EQ(count("web"), 1) << "its clients have two minutes";
  EXPECT_TRUE(until([&] { return world_.master().find_service("web") == nullptr; }));
}

TEST_F(FaultsTest, drains_although_it_was_being_looked_at) {
  auto spec = with_port(spec_of("ok", 1));
  spec.drain_delay = 10s;
  ASSERT_TRUE(world_.create("web", spec));
  ASSERT_TRUE(world_.settle(30s));
  world_.docker.touch(running("web").at(0));
  ASSERT_TRUE(world_.remove("web"));
  world_.loop.advance(8s);
  EXPECT_EQ(count("web"), 1) << "its clients have ten seconds";
}

TEST_F(FaultsTest, starts_again_what_was_stopped_with_davit) {
  for (auto const condition : {model::RestartCondition::Any, model::RestartCondition::OnFailure, model::RestartCondition::None}) {
    World world;
    world.start_process();
    auto spec = spec_of("calm", 2);
    spec.restart_policy.condition = condition;
    ASSERT_TRUE(world.create("web", spec));
    ASSERT_TRUE(world.settle(30s));
    world.stop_services();
    ASSERT_TRUE(world.loop.run_until([&] { return world.agent().all_stopped(); }, 1min));
    world.kill_process();
    world.start_process();
    EXPECT_TRUE(world.loop.run_until([&] { return world.status("web").ready == 2; }, 1min))
        << model::to_string(condition) << world.status("web").message;
  }
}

TEST_F(FaultsTest, stops_services_also_right_after_its_start) {
  ASSERT_TRUE(world_.create("web", spec_of("ok", 2)));
  ASSERT_TRUE(world_.settle(30s));
  world_.kill_process();
  world_.start_process();
  world_.stop_services();
  ASSERT_TRUE(until([&] { return world_.agent().all_stopped(); }));
  world_.kill_process();
  world_.loop.advance(1s);
  EXPECT_EQ(count("web"), 0);
}

TEST_F(FaultsTest, is_stopped_soon_with_an_instance_that_waits_for_its_image_again) {
  auto spec = spec_of("slow", 1);
  spec.pull_policy = model::PullPolicy::Always;
  ASSERT_TRUE(world_.create("web", spec));
  ASSERT_TRUE(world_.settle(30s));
  world_.docker.kill(running("web").at(0), 1);
  ASSERT_TRUE(until([&] { return instance("web").state == model::InstanceState::Preparing; }));
  world_.stop_services();
  EXPECT_TRUE(until([&] { return world_.agent().all_stopped(); }, 30s)) << "davit waits 90 s for it";
}

TEST_F(FaultsTest, stops_gently_what_may_have_started) {
  bool was_stopped = false;
  world_.docker.on_call = [&, spent = false](auto, auto const& call) mutable -> std::optional<FakeDocker::Fault> {
    was_stopped = was_stopped || is<model::StopContainer>(call);
    if (spent || !is<model::StartContainer>(call)) return std::nullopt;
    return spent = true, FakeDocker::Fault{unknown(), true};
  };
  ASSERT_TRUE(world_.create("web", spec_of("ok", 1)));
  world_.loop.advance(2s);
  ASSERT_EQ(count("web"), 1);
  ASSERT_TRUE(world_.remove("web"));
  ASSERT_TRUE(until([&] { return world_.master().find_service("web") == nullptr; }));
  EXPECT_TRUE(was_stopped) << "it was running, and was killed without its stop signal";
}

TEST_F(FaultsTest, pulls_nothing_for_nobody) {
  int pulls = 0;
  world_.docker.on_call = [&](auto, auto const& call) -> std::optional<FakeDocker::Fault> {
    pulls += is<model::PullImage>(call);
    return std::nullopt;
  };
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(world_.create(fmt::format("s{}", i), spec_of(fmt::format("slow:{}", i), 1)));
  world_.loop.advance(2s);
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(world_.remove(fmt::format("s{}", i)));
  world_.loop.advance(1min);
  EXPECT_EQ(pulls, 3) << "those that were under way";
}

// ---- ports

TEST_F(FaultsTest, knows_the_names_of_ports_after_a_restart) {
  auto spec = with_port(spec_of("ok", 1));
  spec.ports[0].name = "http";
  ASSERT_TRUE(world_.create("web", spec));
  ASSERT_TRUE(world_.settle(30s));
  ASSERT_EQ(instance("web").detail->ports.at(0).name, "http");
  world_.kill_process();
  world_.start_process();
  ASSERT_TRUE(world_.settle(30s));
  EXPECT_EQ(instance("web").detail->ports.at(0).name, "http");
}

TEST_F(FaultsTest, picks_another_port_beside_a_fixed_one_when_a_stranger_holds_it) {
  world_.docker.add_foreign("stranger", {}, {20000});
  ASSERT_TRUE(world_.create("web", with_port(with_port(spec_of("ok", 1), 8080))));
  EXPECT_TRUE(until([&] { return world_.status("web").ready == 1; }, 5min)) << world_.status("web").message;
}

TEST_F(FaultsTest, gets_past_any_number_of_ports_that_strangers_hold) {
  std::vector<std::uint16_t> ports;
  for (std::uint16_t port = 20000; port < 20030; ++port) ports.push_back(port);
  world_.docker.add_foreign("strangers", {}, ports);
  ASSERT_TRUE(world_.create("web", with_port(spec_of("ok", 1))));
  EXPECT_TRUE(until([&] { return world_.status("web").ready == 1; }, 10min)) << world_.status("web").message;
}

TEST_F(FaultsTest, says_once_that_a_fixed_port_is_taken) {
  ASSERT_TRUE(world_.create("web", with_port(spec_of("ok", 2), 8080)));
  ASSERT_TRUE(until([&] { return world_.status("web").ready == 1 && world_.status("web").state == State::Degraded; }));
  auto const before = world_.transitions().size();
  world_.loop.advance(10min);
  EXPECT_LT(world_.transitions().size() - before, 50U) << "events for nothing new";
}

// ---- rollouts

TEST_F(FaultsTest, stops_no_instance_for_a_successor_that_waits_for_the_engine) {
  ASSERT_TRUE(world_.create("web", spec_of("ok:1", 3)));
  ASSERT_TRUE(world_.settle(30s));
  world_.docker.crash(FakeDocker::Fate::LiveOn);
  world_.loop.advance(1s);
  ASSERT_TRUE(world_.replace("web", spec_of("ok:2", 3)));
  world_.loop.advance(10s);
  world_.docker.start();
  std::size_t least = 100;
  ASSERT_TRUE(
      until([&] { return least = std::min(least, world_.docker.running().size()), world_.status("web").state == State::Running; }, 5min));
  EXPECT_GE(least, 3U);
}

TEST_F(FaultsTest, gives_back_what_an_instance_of_a_forgotten_revision_had_reserved) {
  auto spec = spec_of("ok", 1);
  spec.resources.reservations.cpus = 1;  // the engine has 4
  ASSERT_TRUE(world_.create("web", spec));
  ASSERT_TRUE(world_.settle(30s));
  spec.resources.reservations.cpus = 0;
  for (int i = 0; i < 12; ++i) {  // each of them fails, and what runs stays
    spec.image = fmt::format("none:{}", i);
    ASSERT_TRUE(world_.replace("web", spec));
    ASSERT_TRUE(until([&] { return world_.status("web").state == State::Paused; }, 2min));
  }
  spec.image = "ok:2";
  ASSERT_TRUE(world_.replace("web", spec));
  ASSERT_TRUE(world_.settle(2min)) << world_.pending();
  EXPECT_EQ(world_.master().nodes().at(0).reserved, model::ResourceAmount{});
}

TEST_F(FaultsTest, looks_after_an_instance_of_a_forgotten_revision) {
  ASSERT_TRUE(world_.create("web", spec_of("ok:1", 1)));
  ASSERT_TRUE(world_.settle(30s));
  for (int i = 0; i < 12; ++i) {
    ASSERT_TRUE(world_.replace("web", spec_of(fmt::format("none:{}", i), 1)));
    ASSERT_TRUE(until([&] { return world_.status("web").state == State::Paused; }, 2min));
  }
  world_.kill_process();
  world_.start_process();
  ASSERT_TRUE(until([&] { return world_.status("web").ready == 1; }, 1min)) << world_.pending();
  world_.docker.kill(running("web").at(0), 1);
  world_.loop.advance(2min);
  EXPECT_EQ(world_.status("web").ready, count("web")) << "what is shown as ready runs";
}

TEST_F(FaultsTest, goes_back_to_what_runs_after_many_failed_updates) {
  ASSERT_TRUE(world_.create("web", spec_of("ok:1", 1)));
  ASSERT_TRUE(world_.settle(30s));
  for (int i = 0; i < 12; ++i) {
    ASSERT_TRUE(world_.replace("web", spec_of(fmt::format("none:{}", i), 1)));
    ASSERT_TRUE(until([&] { return world_.status("web").state == State::Paused; }, 2min));
  }
  EXPECT_TRUE(world_.command({.service = "web", .body = service::Rollback{1}}));
}

TEST_F(FaultsTest, takes_a_new_restart_policy_also_where_the_old_one_wanted_no_restart) {
  auto spec = spec_of("ok", 1);
  spec.restart_policy.condition = model::RestartCondition::None;
  ASSERT_TRUE(world_.create("web", spec));
  ASSERT_TRUE(world_.settle(30s));
  world_.docker.kill(running("web").at(0), 1);
  ASSERT_TRUE(until(
      [&] { return instance("web").state == model::InstanceState::Failed || instance("web").state == model::InstanceState::Exited; }));
  spec.restart_policy.condition = model::RestartCondition::Any;
  ASSERT_TRUE(world_.replace("web", spec));
  EXPECT_TRUE(until([&] { return world_.status("web").ready == 1; }, 2min)) << world_.status("web").message;
}

TEST_F(FaultsTest, places_what_waited_for_room_also_after_a_stopped_update) {
  auto spec = spec_of("ok:1", 4);
  spec.resources.reservations.cpus = 1;  // the engine has 4
  spec.update_config.progress_deadline = 20s;
  auto other = spec_of("ok", 1);
  other.resources.reservations.cpus = 2;
  ASSERT_TRUE(world_.create("other", other));
  ASSERT_TRUE(world_.settle(30s));
  ASSERT_TRUE(world_.create("web", spec));  // two of four fit
  ASSERT_TRUE(until([&] { return world_.status("web").ready == 2; }));
  spec.image = "none:2";
  ASSERT_TRUE(world_.replace("web", spec));
  ASSERT_TRUE(until([&] { return world_.status("web").state == State::Paused; }, 5min)) << world_.pending();
  ASSERT_TRUE(world_.remove("other"));
  world_.loop.advance(1min);
  for (auto const& each : world_.master().find_service("web")->instances) {
    EXPECT_FALSE(each.state == model::InstanceState::Pending && each.retry_at == kNever) << "slot " << each.slot << " waits for nothing";
  }
}

TEST_F(FaultsTest, updates_what_runs_although_another_instance_finds_no_room) {
  auto spec = with_port(spec_of("ok:1", 2), 8080);  // documented: one runs, the other is pending with host_port_in_use
  ASSERT_TRUE(world_.create("web", spec));
  ASSERT_TRUE(until([&] { return world_.status("web").ready == 1 && world_.status("web").state == State::Degraded; }));
  spec.image = "ok:2";
  ASSERT_TRUE(world_.replace("web", spec));
  EXPECT_TRUE(until([&] { return world_.status("web").updated == 1; }, 5min)) << world_.pending();
  EXPECT_TRUE(until([&] { return world_.status("web").state == State::Degraded; }, 5min))
      << "it waits for its port again, and the update is over";
}

TEST_F(FaultsTest, goes_on_with_an_update_whose_pull_lost_its_connection) {
  ASSERT_TRUE(world_.create("web", spec_of("ok:1", 2)));
  ASSERT_TRUE(world_.settle(30s));
  fail_once([](auto const& call) { return is<model::PullImage>(call); }, {unknown(), false});
  ASSERT_TRUE(world_.replace("web", spec_of("slow:2", 2)));
  EXPECT_TRUE(until([&] { return world_.status("web").updated == 2; }, 5min)) << world_.status("web").message;
}

// ---- identity

TEST_F(FaultsTest, removes_a_late_container_of_a_service_from_before_a_restore) {
  ASSERT_TRUE(world_.create("web", spec_of("ok", 1)));
  ASSERT_TRUE(world_.settle(30s));
  world_.kill_process();
  {
    MemoryStore store(world_.loop, world_.data());
    ASSERT_TRUE(store.data().commit(
        {.operations = {ports::Put{model::cluster_key(), codec::encode_record(model::ClusterRecord{.uid = {99}, .era = 2})}}}));
  }
  world_.start_process();
  ASSERT_TRUE(world_.settle(1min)) << world_.pending();
  fail_once([](auto const& call) { return is<model::CreateContainer>(call); }, {unknown(), true});
  ASSERT_TRUE(world_.replace("web", spec_of("ok", 2)));
  world_.loop.advance(1s);
  ASSERT_TRUE(world_.remove("web"));
  ASSERT_TRUE(until([&] { return world_.master().find_service("web") == nullptr; })) << world_.pending();
  world_.loop.advance(2min);
  EXPECT_THAT(world_.docker.containers(), IsEmpty());
}

// ---- all of it at random: whatever was asked and whatever failed, a last good word is carried out exactly

class RandomFaults : public testing::TestWithParam<int> {
 protected:
  using Random = std::mt19937_64;

  void run() {
    world_.docker.on_call = [this](auto, auto const&) -> std::optional<FakeDocker::Fault> {
      if (is_healing_ || random_() % 25 != 0) return std::nullopt;
      FakeDocker::Fault const ways[] = {
          {away(), false}, {no_answer_in_time(), false}, {unknown(), false}, {unknown(), true}, {internal(), false}};
      return ways[random_() % std::size(ways)];
    };
    world_.on_commit = [this](std::uint64_t) -> std::optional<World::StoreFault> {
      if (is_healing_ || random_() % 12 != 0) return std::nullopt;
      World::StoreFault const ways[] = {
          {Code::Full, false}, {Code::Deadline, false}, {Code::Unavailable, false}, {Code::UnknownOutcome, false}};
      return ways[random_() % std::size(ways)];
    };
    world_.start_process();
    for (int i = 0; i < 150; ++i) {
      act();
      world_.loop.advance(std::chrono::milliseconds(random_() % 4000));
    }
    heal();
    if (!HasFatalFailure()) check();
  }

 private:
  static constexpr char const* kNames[] = {"a", "b", "c"};

  void act() {
    std::string const name = kNames[random_() % std::size(kNames)];
    switch (random_() % 16) {
      case 0:
      case 1:
      case 2:
      case 3: set(name, some_spec()); break;
      case 4: std::ignore = world_.command({.service = name, .body = service::Restart{}}); break;
      case 5:
      case 6: std::ignore = world_.command({.service = name, .body = service::Rollback{}}); break;
      case 7: std::ignore = world_.remove(name); break;
      case 8: restart_process(); break;
      case 9:
        if (world_.docker.is_up()) world_.docker.crash(FakeDocker::Fate::LiveOn);
        break;
      case 10:
      case 11:
        if (!world_.docker.is_up()) world_.docker.start();
        break;
      case 12: hurt([&](auto const& victim) { world_.docker.kill(victim, random_() % 3 == 0 ? 0 : 137); }); break;
      case 13: hurt([&](auto const& victim) { world_.docker.remove(victim); }); break;
      case 14: hurt([&](auto const& victim) { world_.docker.pause(victim, random_() % 2 == 0); }); break;
      default: world_.docker.lose_events(random_() % 3 == 0 ? 1 : World::kLostOneIn); break;
    }
  }
  model::ServiceSpec some_spec() {
    char const* const images[] = {"ok:1", "ok:2", "slow:1", "well:1", "crash:1", "sick:1", "none:1", "broken:1", "known:1"};
    auto spec = spec_of(images[random_() % std::size(images)], static_cast<std::int64_t>(random_() % 5));
    if (random_() % 3 == 0) spec = with_port(std::move(spec));
    if (random_() % 6 == 0) spec = with_port(std::move(spec), 8080 + static_cast<std::int64_t>(random_() % 2));
    spec.resources.reservations.cpus = static_cast<double>(random_() % 3) / 4;
    spec.update_config.parallelism = static_cast<std::int64_t>(random_() % 4);
    spec.update_config.order = static_cast<model::UpdateOrder>(random_() % 3);
    spec.update_config.progress_deadline = 1min;
    spec.restart_policy.condition = static_cast<model::RestartCondition>(random_() % 3);
    spec.drain_delay = random_() % 2 * 3s;
    return spec;
  }
  bool set(std::string const& name, model::ServiceSpec spec) {
    return world_.command({.service = name, .body = service::Replace{std::make_shared<model::ServiceSpec const>(std::move(spec)), true}})
        .has_value();
  }
  void hurt(std::function<void(std::string const&)> const& how) {
    auto const running = world_.docker.running();
    if (!running.empty()) how(running[random_() % running.size()]);
  }
  void restart_process() {
    world_.kill_process();
    world_.loop.advance(std::chrono::milliseconds(random_() % 500));
    world_.start_process();
  }
  void heal() {
    is_healing_ = true;
    world_.docker.lose_events(World::kLostOneIn);
    if (!world_.docker.is_up()) world_.docker.start();
    ASSERT_TRUE(world_.loop.run_until([&] { return world_.master().phase() == master::Phase::Active; }, 1min));
    world_.loop.advance(1min);
    for (auto const* name : kNames) {
      world_.loop.run_until(
          [&] {
            auto const* each = world_.master().find_service(name);
            return !each || !each->head.removing;
          },
          3min);
      auto spec = spec_of("ok:last", 3);
      spec.resources.reservations.cpus = 0.25;
      ASSERT_TRUE(set(name, spec)) << name << world_.pending();
    }
    ASSERT_TRUE(world_.settle(30min)) << world_.pending();
    world_.loop.advance(1min);
    ASSERT_TRUE(world_.settle(30min)) << world_.pending();
  }
  void check() {
    std::map<std::string, int> by_slot;
    int ended = 0;
    for (auto const& [id, container] : world_.docker.containers()) {
      auto const& labels = container.detail.labels;
      if (container.detail.state != ContainerState::Running) ++ended;
      else if (++by_slot[labels.at("davit.service") + labels.at("davit.slot")]; container.image != "ok:last")
        ADD_FAILURE() << container.image;
    }
    EXPECT_THAT(by_slot, SizeIs(9));
    for (auto const& [slot, count] : by_slot) EXPECT_EQ(count, 1) << slot;
    EXPECT_LE(ended, 9);
    for (auto const* name : kNames) EXPECT_EQ(world_.status(name).state, State::Running) << name << world_.status(name).message;
    EXPECT_EQ(world_.master().nodes().at(0).instances, 9);
    EXPECT_DOUBLE_EQ(world_.master().nodes().at(0).reserved.cpus, 9 * 0.25);
  }

  World world_{static_cast<std::uint64_t>(GetParam())};
  Random random_{static_cast<std::uint64_t>(GetParam()) * 104729};
  bool is_healing_ = false;
};

TEST_P(RandomFaults, leave_what_was_asked_for_last) { run(); }
int fault_seeds() {
  auto const* given = std::getenv("DAVIT_SEEDS");
  return given ? std::atoi(given) : 40;
}
INSTANTIATE_TEST_SUITE_P(Seeds, RandomFaults, testing::Range(1, 1 + fault_seeds()));

}  // namespace
}  // namespace davit::sim
