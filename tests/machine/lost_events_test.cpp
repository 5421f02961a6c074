// Events that got lost, and looks that fail or come at the wrong time.
#include "machine/faults_harness.hpp"

namespace davit::sim {
namespace {

using model::Reason;
using testing::SizeIs;

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

}  // namespace
}  // namespace davit::sim
