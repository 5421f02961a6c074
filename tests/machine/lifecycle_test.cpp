// What users see of one machine: services come, scale, heal and go.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "machine/world.hpp"

namespace davit::sim {
namespace {

using model::InstanceState;
using model::Reason;
using service::State;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

model::ServiceSpec spec_of(std::string image, std::int64_t instances) {
  model::ServiceSpec spec;
  spec.image = std::move(image);
  spec.instances = instances;
  return spec;
}

std::set<std::string> ids(FakeDocker const& docker) {
  std::set<std::string> all;
  for (auto const& [id, container] : docker.containers()) all.insert(id);
  return all;
}

class LifecycleTest : public testing::Test {
 protected:
  LifecycleTest() { world_.start_process(); }
  service::Instance const& instance(std::string const& service, std::size_t index = 0) {
    return world_.master().find_service(service)->instances.at(index);
  }
  bool until(std::function<bool()> const& condition, Duration limit = 60s) { return world_.loop.run_until(condition, limit); }

  World world_;
};

TEST_F(LifecycleTest, runs_what_was_created) {
  auto const applied = world_.create("web", spec_of("ok", 3));
  ASSERT_TRUE(applied) << applied.error().message;
  EXPECT_EQ(applied->generation, 1);
  EXPECT_TRUE(applied->created);
  ASSERT_TRUE(world_.settle(30s)) << world_.pending();
  EXPECT_THAT(world_.docker.running(), SizeIs(3));
  EXPECT_EQ(world_.status("web").state, State::Running);
  EXPECT_EQ(world_.status("web").ready, 3);
}

TEST_F(LifecycleTest, scales_up_and_down_without_touching_the_others) {
  ASSERT_TRUE(world_.create("web", spec_of("ok", 3)));
  ASSERT_TRUE(world_.settle(30s));
  auto const before = ids(world_.docker);
  ASSERT_TRUE(world_.replace("web", spec_of("ok", 7)));
  ASSERT_TRUE(world_.settle(30s)) << world_.pending();
  EXPECT_THAT(ids(world_.docker), SizeIs(7));
  for (auto const& id : before) EXPECT_TRUE(world_.docker.containers().contains(id));
  ASSERT_TRUE(world_.replace("web", spec_of("ok", 3)));
  ASSERT_TRUE(world_.settle(30s)) << world_.pending();
  EXPECT_EQ(ids(world_.docker), before);
  ASSERT_TRUE(world_.replace("web", spec_of("ok", 0)));
  ASSERT_TRUE(world_.settle(30s)) << world_.pending();
  EXPECT_THAT(world_.docker.containers(), IsEmpty());
  EXPECT_EQ(world_.status("web").state, State::Running);
}

TEST_F(LifecycleTest, removes_everything_and_then_forgets_the_service) {
  ASSERT_TRUE(world_.create("web", spec_of("ok", 4)));
  ASSERT_TRUE(world_.settle(30s));
  ASSERT_TRUE(world_.remove("web"));
  EXPECT_EQ(world_.status("web").state, State::Removing);
  auto const again = world_.create("web", spec_of("ok", 1));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().field, service::kRemoving);
  ASSERT_TRUE(until([&] { return world_.master().find_service("web") == nullptr; })) << world_.pending();
  EXPECT_THAT(world_.docker.containers(), IsEmpty());
  EXPECT_TRUE(world_.create("web", spec_of("ok", 1)));
}

TEST_F(LifecycleTest, restarts_at_once_after_a_single_end_and_keeps_the_others) {
  ASSERT_TRUE(world_.create("web", spec_of("ok", 3)));
  ASSERT_TRUE(world_.settle(30s));
  auto const before = world_.docker.running();
  world_.docker.kill(before[0], 137);
  ASSERT_TRUE(until([&] { return world_.docker.running().size() == 3; }, 40s));
  ASSERT_TRUE(world_.settle(40s)) << world_.pending();
  EXPECT_THAT(world_.docker.running(), testing::Contains(before[1]));
  EXPECT_THAT(world_.docker.running(), testing::Contains(before[2]));
  EXPECT_EQ(world_.status("web").ready, 3);
}

TEST_F(LifecycleTest, replaces_a_container_that_somebody_removed) {
  ASSERT_TRUE(world_.create("web", spec_of("ok", 2)));
  ASSERT_TRUE(world_.settle(30s));
  world_.docker.remove(world_.docker.running()[0]);
  ASSERT_TRUE(until([&] { return world_.docker.running().size() == 2; }, 40s));
}

TEST_F(LifecycleTest, restarts_a_container_that_stays_paused) {
  ASSERT_TRUE(world_.create("web", spec_of("ok", 1)));
  ASSERT_TRUE(world_.settle(30s));
  world_.docker.pause(world_.docker.running()[0], true);
  ASSERT_TRUE(until([&] { return instance("web").reason == Reason::Paused; }));
  EXPECT_FALSE(instance("web").is_ready());
  ASSERT_TRUE(until([&] { return world_.status("web").ready == 1; }));
  EXPECT_EQ(instance("web").restarts, 1);
}

TEST_F(LifecycleTest, keeps_the_container_before_for_its_log) {
  ASSERT_TRUE(world_.create("web", spec_of("ok", 1)));
  ASSERT_TRUE(world_.settle(30s));
  EXPECT_EQ(instance("web").detail->rare->previous_container, "");
  auto const first = instance("web").detail->container.id();
  world_.docker.kill(world_.docker.running()[0], 1);
  ASSERT_TRUE(until([&] { return instance("web").restarts == 1 && instance("web").is_ready(); }));
  EXPECT_EQ(instance("web").detail->rare->previous_container, first);
  EXPECT_TRUE(world_.docker.containers().contains(first));
}

TEST_F(LifecycleTest, backs_off_from_a_crash_loop_and_says_so) {
  ASSERT_TRUE(world_.create("bad", spec_of("crash", 1)));
  ASSERT_TRUE(until([&] { return instance("bad").reason == Reason::CrashLoop; }));
  EXPECT_EQ(world_.status("bad").state, State::Degraded);
  EXPECT_THAT(world_.status("bad").message, HasSubstr("exit 3"));
  auto const restarts = instance("bad").restarts;
  world_.loop.advance(10min);
  EXPECT_LT(instance("bad").restarts, restarts + 20);
  EXPECT_THAT(world_.docker.containers(), SizeIs(testing::Le(2)));  // this attempt and the last
}

TEST_F(LifecycleTest, says_that_an_image_does_not_exist_and_goes_on_trying) {
  ASSERT_TRUE(world_.create("bad", spec_of("none", 2)));
  ASSERT_TRUE(until([&] { return instance("bad").reason == Reason::ImageNotFound; }));
  EXPECT_TRUE(instance("bad").detail->rare->next_start_at.has_value());
  EXPECT_THAT(world_.docker.containers(), IsEmpty());
  ASSERT_TRUE(world_.replace("bad", spec_of("ok", 2)));
  ASSERT_TRUE(world_.settle(2min)) << world_.pending();
}

TEST_F(LifecycleTest, pulls_an_image_once_for_all_who_wait) {
  ASSERT_TRUE(world_.create("web", spec_of("slow", 5)));
  ASSERT_TRUE(until([&] { return instance("web").state == InstanceState::Preparing; }));
  ASSERT_TRUE(world_.settle(30s)) << world_.pending();
  EXPECT_THAT(world_.docker.running(), SizeIs(5));
}

TEST_F(LifecycleTest, stops_while_it_pulls) {
  ASSERT_TRUE(world_.create("web", spec_of("slow", 5)));
  ASSERT_TRUE(until([&] { return instance("web").state == InstanceState::Preparing; }));
  ASSERT_TRUE(world_.remove("web"));
  ASSERT_TRUE(until([&] { return world_.master().find_service("web") == nullptr; })) << world_.pending();
  EXPECT_THAT(world_.docker.containers(), IsEmpty());
}

TEST_F(LifecycleTest, gives_a_fixed_port_to_one_instance_only) {
  auto spec = spec_of("ok", 2);
  spec.ports = {{.target = 80, .published = 8080}};
  ASSERT_TRUE(world_.create("web", spec));
  ASSERT_TRUE(until([&] { return world_.status("web").ready == 1 && world_.status("web").state == State::Degraded; }));
  EXPECT_THAT(world_.status("web").message, HasSubstr("8080"));
  EXPECT_THAT(world_.docker.running(), SizeIs(1));
}

TEST_F(LifecycleTest, picks_other_ports_when_a_stranger_holds_one) {
  auto spec = spec_of("ok", 1);
  spec.ports = {{.target = 80}};
  world_.docker.add_foreign("other", {});
  ASSERT_TRUE(world_.create("web", spec));
  ASSERT_TRUE(world_.settle(30s));
  auto const first = instance("web").detail->ports.at(0);
  EXPECT_EQ(first.published, 20000);
  EXPECT_EQ(first.address, "10.0.0.1");
}

TEST_F(LifecycleTest, keeps_to_reservations) {
  auto spec = spec_of("ok", 5);
  spec.resources.reservations.cpus = 1;  // the engine has 4
  ASSERT_TRUE(world_.create("web", spec));
  ASSERT_TRUE(until([&] { return world_.status("web").ready == 4; }));
  EXPECT_THAT(world_.status("web").message, HasSubstr("cores"));
  spec.instances = 4;
  ASSERT_TRUE(world_.replace("web", spec));
  ASSERT_TRUE(world_.settle(30s)) << world_.pending();
}

TEST_F(LifecycleTest, declares_nothing_dead_while_the_engine_is_away) {
  ASSERT_TRUE(world_.create("web", spec_of("ok", 3)));
  ASSERT_TRUE(world_.settle(30s));
  auto const before = world_.docker.running();
  world_.docker.crash(FakeDocker::Fate::LiveOn);
  world_.loop.advance(5min);
  EXPECT_EQ(world_.status("web").running, 3);
  ASSERT_TRUE(world_.replace("web", spec_of("ok", 4)));
  world_.docker.kill(before[0], 1);
  world_.docker.start();
  ASSERT_TRUE(world_.settle(2min)) << world_.pending();
  EXPECT_THAT(world_.docker.running(), SizeIs(4));
  EXPECT_THAT(world_.docker.running(), testing::IsSupersetOf({before[1], before[2]}));
}

TEST_F(LifecycleTest, repeats_no_request_with_the_same_id) {
  auto const spec = std::make_shared<model::ServiceSpec const>(spec_of("ok", 1));
  service::Command const create{.service = "web", .request_id = "r1", .fingerprint = 7, .body = service::Create{spec}};
  ASSERT_TRUE(world_.command(create));
  auto const again = world_.command(create);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_TRUE(again->replayed && again->created);
  auto other = create;
  other.fingerprint = 8;
  EXPECT_EQ(world_.command(other).error().field, "idempotency_key");
}

TEST_F(LifecycleTest, refuses_a_change_to_an_older_generation) {
  ASSERT_TRUE(world_.create("web", spec_of("ok", 1)));
  auto const spec = std::make_shared<model::ServiceSpec const>(spec_of("ok", 2));
  auto const stale = world_.command({.service = "web", .if_generation = 5, .body = service::Replace{spec}});
  EXPECT_EQ(stale.error().code, Code::Stale);
}

TEST_F(LifecycleTest, refuses_a_change_to_an_earlier_service_of_that_name) {
  ASSERT_TRUE(world_.create("web", spec_of("ok", 0)));
  auto const before = world_.master().find_service("web")->head.uid;
  ASSERT_TRUE(world_.remove("web"));
  ASSERT_TRUE(until([&] { return world_.master().find_service("web") == nullptr; }));
  ASSERT_TRUE(world_.create("web", spec_of("ok", 0)));
  auto const spec = std::make_shared<model::ServiceSpec const>(spec_of("ok", 2));
  service::Command change{.service = "web", .if_generation = 1, .if_uid = before, .body = service::Replace{spec}};
  EXPECT_EQ(world_.command(change).error().code, Code::Stale);
  change.if_uid = world_.master().find_service("web")->head.uid;
  EXPECT_TRUE(world_.command(change));
}

TEST_F(LifecycleTest, takes_no_writes_on_a_full_disk_and_goes_on_running) {
  ASSERT_TRUE(world_.create("web", spec_of("ok", 2)));
  ASSERT_TRUE(world_.settle(30s));
  world_.store().data().set_full(true);
  EXPECT_EQ(world_.replace("web", spec_of("ok", 3)).error().code, Code::Full);
  EXPECT_EQ(world_.create("new", spec_of("ok", 3)).error().code, Code::Full);
  EXPECT_EQ(world_.master().find_service("new"), nullptr);
  world_.docker.kill(world_.docker.running()[0], 1);
  ASSERT_TRUE(until([&] { return world_.status("web").ready == 1; }));
  ASSERT_TRUE(until([&] { return world_.status("web").ready == 2; }));
  world_.store().data().set_full(false);
  EXPECT_TRUE(world_.create("new", spec_of("ok", 3)));
}

TEST_F(LifecycleTest, shows_what_instances_use_while_they_run) {
  ASSERT_TRUE(world_.create("web", spec_of("ok", 2)));
  ASSERT_TRUE(world_.settle(30s));
  ASSERT_TRUE(until([&] { return world_.master().find_service("web")->usage.instances == 2; }));
  EXPECT_NEAR(instance("web").detail->use->millicores, 10, 1);  // as the engine's programs do
  world_.docker.kill(instance("web").detail->container.unpacked().name, 137);
  ASSERT_TRUE(until([&] { return instance("web").state != InstanceState::Running; }));
  EXPECT_EQ(instance("web").detail->use, std::nullopt);
  EXPECT_EQ(world_.master().find_service("web")->usage.instances, 1);
  EXPECT_TRUE(until([&] { return world_.master().find_service("web")->usage.instances == 2; }));
}

}  // namespace
}  // namespace davit::sim
