// Rolling updates of one machine: order, health gates, failures, rollback.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/service/plan.hpp"
#include "machine/world.hpp"

namespace davit::sim {
namespace {

using model::FailureAction;
using model::Reason;
using service::State;
using testing::AllOf;
using testing::Contains;
using testing::Field;
using testing::HasSubstr;
using testing::SizeIs;

model::ServiceSpec spec_of(std::string image, std::int64_t instances) {
  model::ServiceSpec spec;
  spec.image = std::move(image);
  spec.instances = instances;
  spec.drain_delay = 0s;
  return spec;
}

model::ServiceSpec on_failure(model::ServiceSpec spec, FailureAction action) {
  spec.update_config.failure_action = action;
  return spec;
}

// The engine refuses this image in instances from that slot on.
auto broken_from_slot(int slot, std::string image) {
  return [slot, image = std::move(image)](std::uint64_t, model::EngineCall const& call) -> std::optional<FakeDocker::Fault> {
    auto const* create = std::get_if<model::CreateContainer>(&call);
    if (!create || create->image != image || std::stoi(create->labels.at("davit.slot")) < slot) return std::nullopt;
    return FakeDocker::Fault{Error{Code::Invalid, "no space left on device", std::string(model::engine_error::kBadConfig)}};
  };
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

  void run_in(std::string const& name, model::ServiceSpec spec) {
    ASSERT_TRUE(world_.create(name, std::move(spec)));
    ASSERT_TRUE(world_.settle(30s)) << world_.pending();
  }
  std::string container_of(int slot, std::string const& image) {
    for (auto const& [id, container] : world_.docker.containers()) {
      if (container.image == image && container.detail.labels.at("davit.slot") == std::to_string(slot)) return id;
    }
    return {};
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

TEST_F(RolloutTest, pauses_at_the_first_failure_and_says_why) {
  for (auto const* image : {"crash", "none", "broken", "sick"}) {
    SCOPED_TRACE(image);
    World world;
    world.start_process();
    auto const with = [](std::string name) { return on_failure(spec_of(std::move(name), 3), FailureAction::Pause); };
    ASSERT_TRUE(world.create("web", with("ok:1")));
    ASSERT_TRUE(world.settle(30s));
    ASSERT_TRUE(world.replace("web", with(image)));
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

TEST_F(RolloutTest, rolls_back_by_itself_touches_nothing_that_served_and_says_why) {
  struct {
    char const *image, *says;
  } const cases[] = {{"crash", "exit 3"}, {"none", "manifest unknown"}, {"broken", "exec"}, {"sick", "health test"}};
  for (auto const& [image, says] : cases) {
    SCOPED_TRACE(image);
    World world;
    world.start_process();
    ASSERT_TRUE(world.create("web", spec_of("ok:1", 3)));
    ASSERT_TRUE(world.settle(30s));
    auto const before = world.docker.running();
    ASSERT_TRUE(world.replace("web", spec_of(image, 3)));
    ASSERT_TRUE(world.loop.run_until([&] { return world.master().find_service("web")->head.revision == 1; }, 2min)) << world.pending();
    EXPECT_THAT(world.status("web").message, AllOf(HasSubstr("update to revision 2 failed: web.1"), HasSubstr(says)));
    ASSERT_TRUE(world.loop.run_until([&] { return world.status("web").state == State::Running; }, 2min)) << world.pending();
    EXPECT_EQ(world.status("web").updated, 3);
    EXPECT_THAT(world.status("web").message, AllOf(HasSubstr("update to revision 2 was rolled back: web.1"), HasSubstr(says)));
    ASSERT_TRUE(world.settle(30s)) << world.pending();
    EXPECT_EQ(world.docker.running(), before);
    EXPECT_THAT(world.transitions(), Contains(Field(&master::Transition::type, "service.rolled_back")));
  }
}

TEST_F(RolloutTest, rolls_back_what_was_updated_already) {
  run_in("web", spec_of("ok:1", 4));
  ASSERT_TRUE(world_.replace("web", spec_of("ok:2", 4)));
  ASSERT_TRUE(watch([&] { return world_.status("web").updated == 2; }));
  world_.docker.on_call = broken_from_slot(3, "ok:2");
  ASSERT_TRUE(watch([&] { return world_.status("web").state == State::RollingBack; })) << world_.status("web").message;
  EXPECT_THAT(world_.status("web").message, HasSubstr("web.3"));
  ASSERT_TRUE(watch([&] { return in_place(); })) << world_.pending();
  ASSERT_TRUE(world_.settle(30s)) << world_.pending();
  EXPECT_GE(least_ready_, 4);
  EXPECT_EQ(running_images(), std::set<std::string>{"ok:1"});
}

TEST_F(RolloutTest, continues_past_failures_and_ends_incomplete) {
  run_in("web", on_failure(spec_of("ok:1", 3), FailureAction::Continue));
  world_.docker.on_call = broken_from_slot(2, "ok:2");
  ASSERT_TRUE(world_.replace("web", on_failure(spec_of("ok:2", 3), FailureAction::Continue)));
  ASSERT_TRUE(watch([&] { return world_.status("web").state == State::Degraded; })) << world_.pending();
  EXPECT_GE(least_ready_, 3);
  EXPECT_THAT(world_.status("web").message, HasSubstr("update to revision 2 is incomplete, 1/3 updated: web.2 failed: "));
  world_.loop.advance(5min);
  EXPECT_EQ(world_.status("web").ready, 3) << "those that could not be replaced stay";
  EXPECT_THAT(world_.docker.running(), SizeIs(3));
  EXPECT_EQ(world_.status("web").updated, 1);

  world_.docker.on_call = {};
  ASSERT_TRUE(world_.replace("web", spec_of("ok:3", 3)));
  ASSERT_TRUE(watch([&] { return in_place(); })) << world_.pending();
  EXPECT_EQ(world_.status("web").message, "");
}

TEST_F(RolloutTest, continues_until_an_instance_that_failed_once_stands) {
  run_in("web", on_failure(spec_of("ok:1", 2), FailureAction::Continue));
  ASSERT_TRUE(world_.replace("web", on_failure(spec_of("ok:2", 2), FailureAction::Continue)));
  for (int slot = 1; slot <= 2; ++slot) {
    ASSERT_TRUE(watch([&] { return world_.status("web").updated == slot; }));
    world_.docker.kill(container_of(slot, "ok:2"), 1);
    world_.loop.advance(3s);
  }
  ASSERT_TRUE(watch([&] { return in_place(); })) << world_.pending();
  EXPECT_EQ(world_.status("web").message, "");
}

// stop-first, a failure takes the turn that it has: nothing that serves is stopped beyond `parallelism`.
TEST_F(RolloutTest, continues_only_as_far_as_the_service_can_do_without) {
  auto spec = on_failure(spec_of("ok:1", 4), FailureAction::Continue);
  spec.update_config.order = model::UpdateOrder::StopFirst;
  spec.update_config.parallelism = 2;
  run_in("web", spec);
  world_.docker.on_call = broken_from_slot(1, "ok:2");
  spec.image = "ok:2";
  ASSERT_TRUE(world_.replace("web", spec));
  ASSERT_TRUE(watch([&] { return world_.status("web").state == State::Degraded; })) << world_.pending();
  world_.loop.advance(5min);
  EXPECT_GE(least_ready_, 2);
  EXPECT_EQ(world_.status("web").ready, 2);
}

TEST_F(RolloutTest, bears_as_many_failures_as_the_ratio_allows) {
  for (auto const& [ratio, end] : {std::pair(0.5, 2), std::pair(0.4, 1)}) {
    SCOPED_TRACE(ratio);
    World world;
    world.start_process();
    auto spec = spec_of("ok:1", 4);
    spec.update_config.max_failure_ratio = ratio;
    ASSERT_TRUE(world.create("web", spec));
    ASSERT_TRUE(world.settle(30s));
    world.docker.on_call = broken_from_slot(3, "ok:2");  // 3 and 4
    spec.image = "ok:2";
    ASSERT_TRUE(world.replace("web", spec));
    ASSERT_TRUE(world.loop.run_until([&] { return !world.master().find_service("web")->head.rollout.is_under_way(); }, 5min));
    EXPECT_EQ(world.master().find_service("web")->head.revision, end) << world.status("web").message;
    EXPECT_EQ(world.status("web").ready, 4);
  }
}

TEST_F(RolloutTest, that_is_rolled_back_to_what_fails_too_pauses) {
  auto spec = spec_of("ok:1", 1);
  spec.update_config.order = model::UpdateOrder::StopFirst;
  run_in("web", spec);
  world_.docker.on_call = broken_from_slot(1, "ok:1");  // it is gone from the disk, say
  spec.image = "crash";
  ASSERT_TRUE(world_.replace("web", spec));
  ASSERT_TRUE(watch([&] { return world_.status("web").state == State::Paused; })) << world_.pending();
  EXPECT_THAT(world_.status("web").message, HasSubstr("rollback to revision 1 stopped: web.1 failed: "));
  world_.docker.on_call = {};
  ASSERT_TRUE(world_.command({.service = "web", .body = service::Resume{}}));
  EXPECT_TRUE(watch([&] { return in_place(); })) << world_.pending() << world_.status("web").message;
}

TEST_F(RolloutTest, rolls_back_an_instance_that_never_becomes_ready_in_time) {
  auto spec = spec_of("ok:1", 2);
  spec.update_config.progress_deadline = 3s;
  run_in("web", spec);
  spec.image = "slow:2";  // to be pulled, for 5 s
  ASSERT_TRUE(world_.replace("web", spec));
  ASSERT_TRUE(watch([&] { return world_.status("web").state == State::Running; })) << world_.pending();
  EXPECT_THAT(world_.status("web").message, HasSubstr("web.1 was not ready within 3s"));
}

TEST_F(RolloutTest, judges_an_instance_for_as_long_as_monitor_says) {
  auto spec = spec_of("ok:1", 3);
  spec.update_config.monitor = 30s;
  run_in("web", spec);
  spec.image = "ok:2";
  ASSERT_TRUE(world_.replace("web", spec));
  ASSERT_TRUE(watch([&] { return world_.status("web").updated == 1; }));
  auto const first = world_.loop.now().monotonic;
  ASSERT_TRUE(watch([&] { return world_.status("web").updated == 2; }));
  EXPECT_GE(world_.loop.now().monotonic - first, 30s);
  world_.docker.kill(container_of(1, "ok:2"), 1);  // it has stood its test
  world_.loop.advance(20s);
  EXPECT_EQ(world_.status("web").state, State::Updating) << world_.status("web").message;
  world_.docker.kill(container_of(2, "ok:2"), 1);  // it has not
  ASSERT_TRUE(watch([&] { return in_place() && world_.status("web").ready == 3; })) << world_.pending();
  ASSERT_TRUE(world_.settle(30s)) << world_.pending();
  EXPECT_EQ(running_images(), std::set<std::string>{"ok:1"});
  EXPECT_THAT(world_.status("web").message, HasSubstr("was rolled back: web.2 failed: "));
}

TEST_F(RolloutTest, waits_between_two_replacements_for_as_long_as_delay_says) {
  auto spec = spec_of("ok:1", 3);
  spec.update_config.monitor = 1s;
  spec.update_config.delay = 40s;
  run_in("web", spec);
  spec.image = "ok:2";
  ASSERT_TRUE(world_.replace("web", spec));
  for (int updated = 1; updated < 3; ++updated) {
    ASSERT_TRUE(watch([&] { return world_.status("web").updated == updated; }));
    auto const since = world_.loop.now().monotonic;
    ASSERT_TRUE(watch([&] { return world_.status("web").updated == updated + 1; })) << world_.pending();
    EXPECT_GE(world_.loop.now().monotonic - since, 41s);
    EXPECT_LE(world_.loop.now().monotonic - since, 45s);
  }
  auto const last = world_.loop.now().monotonic;
  ASSERT_TRUE(watch([&] { return in_place(); }));
  EXPECT_LE(world_.loop.now().monotonic - last, 5s) << "there is nothing to wait for after the last";
}

TEST_F(RolloutTest, pauses_and_resumes_when_it_is_told_to) {
  run_in("web", spec_of("ok:1", 4));
  EXPECT_EQ(world_.command({.service = "web", .body = service::Pause{}}).error().code, Code::Invalid) << "there is nothing to pause";
  ASSERT_TRUE(world_.replace("web", spec_of("ok:2", 4)));
  ASSERT_TRUE(watch([&] { return world_.status("web").updated == 2; }));
  ASSERT_TRUE(world_.command({.service = "web", .body = service::Pause{}}));
  EXPECT_EQ(world_.status("web").message, "update to revision 2 is paused: 2/4 updated");
  EXPECT_TRUE(world_.command({.service = "web", .body = service::Pause{}})->unchanged);
  world_.loop.advance(5min);
  EXPECT_EQ(world_.status("web").state, State::Paused);
  EXPECT_EQ(world_.status("web").updated, 2);
  EXPECT_EQ(world_.status("web").ready, 4);
  EXPECT_THAT(world_.docker.running(), SizeIs(4)) << "what was begun is finished";

  world_.docker.kill(container_of(4, "ok:1"), 1);  // a paused service is looked after
  ASSERT_TRUE(world_.replace("web", spec_of("ok:2", 5)));
  ASSERT_TRUE(watch([&] { return world_.status("web").ready == 5; })) << world_.pending();
  EXPECT_EQ(world_.status("web").updated, 2) << "the new slot begins at the revision that is in place";

  ASSERT_TRUE(world_.command({.service = "web", .body = service::Resume{}}));
  EXPECT_EQ(world_.status("web").state, State::Updating);
  ASSERT_TRUE(watch([&] { return in_place(); })) << world_.pending();
  EXPECT_GE(least_ready_, 5);
  EXPECT_EQ(world_.command({.service = "web", .body = service::Resume{}}).error().code, Code::Invalid);
}

TEST_F(RolloutTest, tries_again_when_it_is_resumed_after_a_failure) {
  for (auto const order : {model::UpdateOrder::StartFirst, model::UpdateOrder::StopFirst}) {
    World world;
    world.start_process();
    auto spec = on_failure(spec_of("ok:1", 2), FailureAction::Pause);
    spec.update_config.order = order;
    ASSERT_TRUE(world.create("web", spec));
    ASSERT_TRUE(world.settle(30s));
    world.docker.on_call = broken_from_slot(1, "ok:2");
    spec.image = "ok:2";
    ASSERT_TRUE(world.replace("web", spec));
    auto const is_paused = [&] { return world.status("web").state == State::Paused; };
    ASSERT_TRUE(world.loop.run_until(is_paused, 2min));
    world.loop.advance(30s);
    ASSERT_TRUE(world.command({.service = "web", .body = service::Resume{}}));
    ASSERT_TRUE(world.loop.run_until(is_paused, 5min)) << "it fails again";
    world.docker.on_call = {};
    ASSERT_TRUE(world.command({.service = "web", .body = service::Resume{}}));
    EXPECT_TRUE(world.loop.run_until([&] { return world.status("web").state == State::Running; }, 5min)) << world.status("web").message;
    EXPECT_EQ(world.status("web").updated, 2);
  }
}

TEST_F(RolloutTest, leads_to_the_newest_when_another_update_follows) {
  run_in("web", spec_of("ok:1", 3));
  auto const before = world_.docker.running();
  ASSERT_TRUE(world_.replace("web", spec_of("ok:2", 3)));
  ASSERT_TRUE(watch([&] { return world_.status("web").updated == 1; }));
  ASSERT_TRUE(world_.replace("web", spec_of("crash", 3)));
  ASSERT_TRUE(watch([&] { return in_place(); })) << world_.pending();
  EXPECT_EQ(world_.master().find_service("web")->head.revision, 1) << "revision 2 was never in place as a whole";
  EXPECT_GE(least_ready_, 3);
  ASSERT_TRUE(world_.replace("web", spec_of("crash:2", 3)));
  ASSERT_TRUE(watch([&] { return world_.status("web").state == State::RollingBack; }));
  ASSERT_TRUE(world_.replace("web", spec_of("ok:4", 3)));
  ASSERT_TRUE(watch([&] { return in_place(); })) << world_.pending();
  ASSERT_TRUE(world_.settle(30s)) << world_.pending();
  EXPECT_EQ(running_images(), std::set<std::string>{"ok:4"});
  EXPECT_GE(least_ready_, 3);
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

TEST_F(RolloutTest, is_complete_only_when_each_slot_that_gave_way_has_its_new_instance) {
  auto spec = spec_of("ok:1", 3);
  spec.placement.max_replicas_per_node = 3;
  run_in("web", spec);
  spec.image = "ok:2";
  ASSERT_TRUE(world_.replace("web", spec));
  ASSERT_TRUE(watch([&] { return !world_.master().find_service("web")->head.rollout.is_under_way(); }));
  EXPECT_EQ(world_.status("web").updated, 3);
  EXPECT_GE(least_ready_, 2);
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
  ASSERT_TRUE(world_.settle(30s)) << world_.pending();
  EXPECT_THAT(world_.docker.containers(), SizeIs(4));
  EXPECT_EQ(running_images(), std::set<std::string>{"ok:2"});
}

TEST_F(RolloutTest, rolls_back_over_restarts_of_davit) {
  run_in("web", spec_of("ok:1", 4));
  ASSERT_TRUE(world_.replace("web", spec_of("ok:2", 4)));
  ASSERT_TRUE(watch([&] { return world_.status("web").updated == 3; }));
  world_.docker.on_call = broken_from_slot(4, "ok:2");
  for (int restart = 0; restart < 8; ++restart) {
    world_.loop.advance(std::chrono::milliseconds(300 + 1700 * restart));
    world_.kill_process();
    world_.loop.advance(1s);
    world_.start_process();
    ASSERT_TRUE(world_.loop.run_until([&] { return world_.status("web").ready >= 4; }, 30s)) << world_.pending();
  }
  ASSERT_TRUE(watch([&] { return in_place(); })) << world_.pending();
  ASSERT_TRUE(world_.settle(30s)) << world_.pending();
  EXPECT_EQ(running_images(), std::set<std::string>{"ok:1"});
  EXPECT_THAT(world_.status("web").message, HasSubstr("update to revision 2 was rolled back: web.4"));
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
    return service::plan(head, instances, {Monotonic{10s}, {}});
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
  EXPECT_THAT(service::plan(head, instances, {Monotonic{10s}, {}}).stop, SizeIs(1));
  instances[1].is_confirmed = true;
  EXPECT_THAT(service::plan(head, instances, {Monotonic{10s}, {}}).stop,
              testing::ElementsAre(service::StopOrder{{1}, 1, Reason::Replaced}));
}

}  // namespace
}  // namespace davit::sim
