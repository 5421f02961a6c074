// Rolling updates of one machine: order, health gates, failures, rollback.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/service/plan.hpp"
#include "machine/world.hpp"

namespace davit::sim {
namespace {

using model::Reason;
using service::State;
using testing::HasSubstr;
using testing::SizeIs;

model::ServiceSpec spec_of(std::string image, std::int64_t instances) {
  model::ServiceSpec spec;
  spec.image = std::move(image);
  spec.instances = instances;
  spec.drain_delay = 0s;
  return spec;
}

class RolloutTest : public testing::Test {
 protected:
  RolloutTest() { world_.start_process(); }

  // Runs until the condition holds; the least ready and the most running on the way.
  bool watch(std::function<bool()> const& condition, Duration limit = 10min) {
    least_ready_ = 1000;
    most_running_ = 0;
    return world_.loop.run_until(
        [&] {
          least_ready_ = std::min(least_ready_, world_.status("web").ready);
          most_running_ = std::max(most_running_, world_.docker.running().size());
          return condition();
        },
        limit);
  }
  bool in_place() { return world_.status("web").state == State::Running && world_.status("web").updated == world_.status("web").desired; }
  std::set<std::string> running_images() {
    std::set<std::string> images;
    for (auto const& [id, container] : world_.docker.containers()) images.insert(container.image);
    return images;
  }

  World world_;
  std::int64_t least_ready_ = 0;
  std::size_t most_running_ = 0;
};

TEST_F(RolloutTest, replaces_one_after_the_other_start_first) {
  ASSERT_TRUE(world_.create("web", spec_of("ok:1", 3)));
  ASSERT_TRUE(world_.settle(30s));
  ASSERT_TRUE(world_.replace("web", spec_of("ok:2", 3)));
  EXPECT_EQ(world_.status("web").state, State::Updating);
  ASSERT_TRUE(watch([&] { return in_place(); })) << world_.pending();
  EXPECT_GE(least_ready_, 3);
  EXPECT_LE(most_running_, 4);
  ASSERT_TRUE(world_.settle(30s)) << world_.pending();
  EXPECT_EQ(running_images(), std::set<std::string>{"ok:2"});
  EXPECT_EQ(world_.master().find_service("web")->head.revision, 2);
}

TEST_F(RolloutTest, stops_first_where_a_fixed_port_is_held) {
  auto spec = spec_of("ok:1", 1);
  spec.ports = {{.target = 80, .published = 8080}};
  ASSERT_TRUE(world_.create("web", spec));
  ASSERT_TRUE(world_.settle(30s));
  spec.image = "ok:2";
  ASSERT_TRUE(world_.replace("web", spec));
  ASSERT_TRUE(watch([&] { return in_place(); })) << world_.pending();
  EXPECT_LE(most_running_, 1);
}

TEST_F(RolloutTest, keeps_to_parallelism) {
  auto spec = spec_of("ok:1", 6);
  spec.update_config.parallelism = 2;
  spec.update_config.order = model::UpdateOrder::StopFirst;
  ASSERT_TRUE(world_.create("web", spec));
  ASSERT_TRUE(world_.settle(30s));
  spec.image = "ok:2";
  ASSERT_TRUE(world_.replace("web", spec));
  ASSERT_TRUE(watch([&] { return in_place(); })) << world_.pending();
  EXPECT_EQ(least_ready_, 4);
}

TEST_F(RolloutTest, stops_at_the_first_failure_and_says_why) {
  for (auto const* image : {"crash", "none", "broken", "sick"}) {
    SCOPED_TRACE(image);
    World world;
    world.start_process();
    ASSERT_TRUE(world.create("web", spec_of("ok:1", 3)));
    ASSERT_TRUE(world.settle(30s));
    ASSERT_TRUE(world.replace("web", spec_of(image, 3)));
    ASSERT_TRUE(world.loop.run_until([&] { return world.status("web").state == State::Paused; }, 2min)) << world.pending();
    EXPECT_THAT(world.status("web").message, HasSubstr("update to revision 2 stopped: web."));
    world.loop.advance(1min);
    EXPECT_EQ(world.status("web").ready, 3) << "start-first leaves the old ones";
    ASSERT_TRUE(world.command({.service = "web", .body = service::Rollback{}}));
    ASSERT_TRUE(world.loop.run_until([&] { return world.status("web").state == State::Running; }, 2min)) << world.pending();
    EXPECT_EQ(world.status("web").updated, 3);
    EXPECT_EQ(world.master().find_service("web")->head.revision, 1);
  }
}

TEST_F(RolloutTest, rolls_back_without_touching_what_still_runs_the_old_revision) {
  ASSERT_TRUE(world_.create("web", spec_of("ok:1", 3)));
  ASSERT_TRUE(world_.settle(30s));
  auto const before = world_.docker.running();
  ASSERT_TRUE(world_.replace("web", spec_of("ok:2", 3)));
  ASSERT_TRUE(watch([&] { return world_.status("web").updated == 1; }));
  ASSERT_TRUE(world_.command({.service = "web", .body = service::Rollback{}}));
  EXPECT_EQ(world_.status("web").state, State::RollingBack);
  ASSERT_TRUE(watch([&] { return in_place(); })) << world_.pending();
  EXPECT_GE(least_ready_, 3);
  EXPECT_THAT(world_.docker.running(), testing::IsSupersetOf({before[1], before[2]}));
}

TEST_F(RolloutTest, scales_while_it_rolls) {
  ASSERT_TRUE(world_.create("web", spec_of("ok:1", 3)));
  ASSERT_TRUE(world_.settle(30s));
  ASSERT_TRUE(world_.replace("web", spec_of("ok:2", 3)));
  ASSERT_TRUE(watch([&] { return world_.status("web").updated == 1; }));
  ASSERT_TRUE(world_.replace("web", spec_of("ok:2", 5)));
  ASSERT_TRUE(watch([&] { return in_place() && world_.status("web").ready == 5; })) << world_.pending();
  ASSERT_TRUE(world_.settle(30s)) << world_.pending();
  EXPECT_EQ(running_images(), std::set<std::string>{"ok:2"});
}

TEST_F(RolloutTest, gives_way_when_the_new_one_fits_nowhere_beside_the_old) {
  auto spec = spec_of("ok:1", 2);
  spec.placement.max_replicas_per_node = 2;
  ASSERT_TRUE(world_.create("web", spec));
  ASSERT_TRUE(world_.settle(30s));
  spec.image = "ok:2";
  ASSERT_TRUE(world_.replace("web", spec));
  ASSERT_TRUE(watch([&] { return in_place(); })) << world_.pending() << world_.status("web").message;
  EXPECT_GE(least_ready_, 1);
}

TEST_F(RolloutTest, replaces_no_container_for_what_needs_none) {
  ASSERT_TRUE(world_.create("web", spec_of("ok:1", 2)));
  ASSERT_TRUE(world_.settle(30s));
  auto const before = world_.docker.running();
  auto spec = spec_of("ok:1", 2);
  spec.labels.items["team"] = "a";
  spec.stop_grace_period = 3s;
  auto const applied = world_.replace("web", spec);
  ASSERT_TRUE(applied);
  EXPECT_EQ(applied->revision, 1);
  EXPECT_EQ(applied->generation, 2);
  ASSERT_TRUE(world_.settle(30s));
  EXPECT_EQ(world_.docker.running(), before);
}

TEST_F(RolloutTest, goes_on_after_a_restart_of_davit) {
  ASSERT_TRUE(world_.create("web", spec_of("ok:1", 4)));
  ASSERT_TRUE(world_.settle(30s));
  ASSERT_TRUE(world_.replace("web", spec_of("ok:2", 4)));
  for (int restart = 0; restart < 6; ++restart) {
    world_.loop.advance(7s);
    world_.kill_process();
    world_.loop.advance(1s);
    world_.start_process();
    ASSERT_TRUE(world_.loop.run_until([&] { return world_.status("web").ready >= 4; }, 30s)) << world_.pending();
  }
  ASSERT_TRUE(watch([&] { return in_place(); })) << world_.pending();
  EXPECT_THAT(world_.docker.containers(), SizeIs(4));
  ASSERT_TRUE(world_.settle(30s)) << world_.pending();
  EXPECT_EQ(running_images(), std::set<std::string>{"ok:2"});
}

// An instance of an earlier revision that nobody expects: its create outlived the process that asked for it, say.
TEST(Stray, of_an_earlier_revision_goes_once_another_serves) {
  model::Head head{.name = "web", .events = 3, .generation = 2, .revision = 2, .last_revision = 2};
  head.revisions[1].spec = std::make_shared<model::ServiceSpec const>(spec_of("ok:1", 1));
  head.revisions[2].spec = std::make_shared<model::ServiceSpec const>(spec_of("ok:2", 1));
  auto const instance = [](std::uint64_t id, std::uint32_t revision, bool is_ready) {
    service::Instance made;
    made.id = {id};
    made.slot = 1;
    made.revision = revision;
    made.state = is_ready ? model::InstanceState::Running : model::InstanceState::Starting;
    if (is_ready) made.ready_since = Monotonic{5s};
    return made;
  };
  auto const plan = [&](bool has_new, bool new_is_ready) {
    std::vector<service::Instance> instances;
    instances.push_back(instance(1, 1, true));
    if (has_new) instances.push_back(instance(2, 2, new_is_ready));
    return service::plan(head, instances, Monotonic{10s});
  };
  EXPECT_THAT(plan(false, false).place, testing::ElementsAre(1U));
  EXPECT_THAT(plan(false, false).stop, SizeIs(0));
  EXPECT_THAT(plan(true, false).stop, SizeIs(0));
  EXPECT_THAT(plan(true, true).stop, testing::ElementsAre(service::StopOrder{{1}, 1, Reason::Replaced}));
}

// Two of one revision and none serves yet: the one that was only created, for an owner before this one, is not started.
TEST(Stray, that_was_only_created_is_not_started_beside_its_successor) {
  model::Head head{.name = "web", .events = 1, .generation = 1, .revision = 1, .last_revision = 1};
  head.revisions[1].spec = std::make_shared<model::ServiceSpec const>(spec_of("ok:1", 1));
  std::vector<service::Instance> instances(2);
  for (std::uint64_t i = 0; i < 2; ++i) {
    instances[i].id = {i + 1};
    instances[i].slot = instances[i].revision = 1;
    instances[i].state = model::InstanceState::Starting;
  }
  EXPECT_THAT(service::plan(head, instances, Monotonic{10s}).stop, SizeIs(1));
  instances[1].is_confirmed = true;
  EXPECT_THAT(service::plan(head, instances, Monotonic{10s}).stop, testing::ElementsAre(service::StopOrder{{1}, 1, Reason::Replaced}));
}

}  // namespace
}  // namespace davit::sim
