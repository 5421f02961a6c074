// A store that fails, is full or gives no answer; and what must not pile up in it.
#include <fmt/core.h>

#include "machine/faults_harness.hpp"

namespace davit::sim {
namespace {

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

TEST_F(FaultsTest, gives_up_node_commands_that_wait_too_long_for_their_turn_and_rests_meanwhile) {
  ASSERT_TRUE(until([&] { return !world_.master().view().nodes.empty(); }, 10s));
  world_.on_commit = [](std::uint64_t) { return std::optional(World::StoreFault{Code::Unavailable, false}); };
  int answered = 0;
  auto const node = world_.master().view().nodes.begin()->first;
  for (int i = 0; i < 60; ++i) {  // the store takes one try each half second, and each may wait for ten
    world_.send({.node = node, .labels = {{{"try", std::to_string(i)}}}},
                [&](auto outcome) { answered += !outcome && outcome.error().code == Code::Unavailable ? 1 : 0; });
  }
  ASSERT_TRUE(world_.loop.try_advance(12s, 1'000)) << "a master that waits for its turn must not spin";
  EXPECT_EQ(answered, 60);
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

}  // namespace
}  // namespace davit::sim
