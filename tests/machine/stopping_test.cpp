// Stopping instances, and Davit with its services.
#include <fmt/core.h>

#include "machine/faults_harness.hpp"

namespace davit::sim {
namespace {

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

}  // namespace
}  // namespace davit::sim
