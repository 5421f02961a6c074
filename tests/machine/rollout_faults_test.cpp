// Updates that fail, are stopped, or wait for room.
#include <algorithm>

#include <fmt/core.h>

#include "machine/faults_harness.hpp"

namespace davit::sim {
namespace {

using service::State;

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
  auto spec = pausing(spec_of("ok", 1));
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
    ASSERT_TRUE(world_.replace("web", pausing(spec_of(fmt::format("none:{}", i), 1))));
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
    ASSERT_TRUE(world_.replace("web", pausing(spec_of(fmt::format("none:{}", i), 1))));
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
  auto spec = pausing(spec_of("ok:1", 4));
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

TEST_F(FaultsTest, stops_nothing_for_a_successor_that_fits_nowhere) {
  ASSERT_TRUE(world_.create("web", spec_of("ok:1", 2)));
  ASSERT_TRUE(world_.settle(30s));
  auto too_large = pausing(spec_of("ok:2", 2));
  too_large.resources.reservations.cpus = 100;  // the engine has 4
  ASSERT_TRUE(world_.replace("web", too_large));
  world_.loop.advance(1min);
  EXPECT_EQ(world_.status("web").state, State::Updating);
  EXPECT_EQ(world_.status("web").ready, 2);
  EXPECT_EQ(world_.status("web").updated, 0);
}

TEST_F(FaultsTest, goes_back_only_once_without_being_told_where_to) {
  ASSERT_TRUE(world_.create("web", spec_of("ok:1", 1)));
  ASSERT_TRUE(world_.settle(30s));
  ASSERT_TRUE(world_.replace("web", pausing(spec_of("none:1", 1))));
  ASSERT_TRUE(until([&] { return world_.status("web").state == State::Paused; }));
  ASSERT_TRUE(world_.command({.service = "web", .body = service::Rollback{}}));
  ASSERT_TRUE(world_.settle(1min));
  auto const again = world_.command({.service = "web", .body = service::Rollback{}});
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message, testing::HasSubstr("has gone back to revision 1 already"));
  EXPECT_THAT(again.error().message, testing::HasSubstr("there are: 2"));
}

}  // namespace
}  // namespace davit::sim
