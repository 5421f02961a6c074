// Services whose slots must not be doubled, through an ordinary life and through what may happen to it: at no moment do two instances
// of one slot run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include <fmt/core.h>

#include "machine/world.hpp"

namespace davit::sim {
namespace {

using model::ContainerState;
using model::Reason;
using service::State;
using testing::IsEmpty;
using testing::SizeIs;

model::ServiceSpec spec_of(std::string image, std::int64_t instances) {
  model::ServiceSpec spec;
  spec.image = std::move(image);
  spec.instances = instances;
  spec.on_isolation = model::OnIsolation::Stop;
  spec.drain_delay = 0s;
  spec.update_config.monitor = 1s;
  return spec;
}

class SlotsTest : public testing::Test {
 protected:
  explicit SlotsTest(std::uint64_t seed = 1) : world_(seed) {}

  // Looks at every step that no slot is doubled.
  bool until(std::function<bool()> const& condition, Duration limit = 3min) {
    return world_.loop.run_until(
        [&] {
          expect_no_double();
          return condition();
        },
        limit);
  }
  bool settle(Duration limit = 3min) {
    return until([&] { return world_.master().pending().empty() && world_.agent().pending().empty(); }, limit);
  }
  void pass(Duration time) {
    auto const end = world_.loop.now().monotonic + time;
    until([&] { return world_.loop.now().monotonic >= end; }, time);
  }

  void expect_no_double() {
    std::map<std::string, int> count;
    for (auto const& [id, container] : world_.docker.containers()) {
      auto const& labels = container.detail.labels;
      if (container.detail.state != ContainerState::Running || !is_leased(container.detail)) continue;
      ++count[labels.at("davit.service") + "." + labels.at("davit.slot")];
    }
    for (auto const& [slot, running] : count) EXPECT_EQ(running, 1) << slot << " runs twice";
  }
  std::vector<model::SlotRecord> records() {
    std::vector<model::SlotRecord> all;
    for (auto const& [name, slots] : world_.master().view().slots) {
      for (auto const& [slot, kept] : slots) all.push_back(kept.record);
    }
    return all;
  }
  service::Instance const& instance(std::size_t index = 0) { return world_.master().find_service("web")->instances.at(index); }
  void make_web(std::int64_t instances) {
    world_.start_process();
    ASSERT_TRUE(world_.create("web", spec_of("ok:1", instances)));
    ASSERT_TRUE(settle()) << world_.pending();
    ASSERT_THAT(world_.docker.running(), SizeIs(instances));
  }

  World world_;
};

TEST_F(SlotsTest, run_scale_update_and_go_and_leave_no_record) {
  make_web(2);
  EXPECT_THAT(records(), SizeIs(2));
  EXPECT_THAT(world_.node_guard.file(), SizeIs(2));

  ASSERT_TRUE(world_.replace("web", spec_of("ok:1", 4)));
  ASSERT_TRUE(settle()) << world_.pending();
  EXPECT_THAT(records(), SizeIs(4));
  ASSERT_TRUE(world_.replace("web", spec_of("ok:1", 1)));
  ASSERT_TRUE(settle()) << world_.pending();
  EXPECT_THAT(records(), SizeIs(1));
  EXPECT_THAT(world_.docker.running(), SizeIs(1));

  ASSERT_TRUE(world_.remove("web"));
  ASSERT_TRUE(until([&] { return world_.master().find_service("web") == nullptr; })) << world_.pending();
  ASSERT_TRUE(settle()) << world_.pending();
  EXPECT_THAT(records(), IsEmpty());
  EXPECT_THAT(world_.docker.containers(), IsEmpty());
  EXPECT_THAT(world_.node_guard.file(), IsEmpty());
}

TEST_F(SlotsTest, are_updated_stop_first_whatever_the_order_says) {
  make_web(3);
  auto const tokens_before = records();
  auto spec = spec_of("ok:2", 3);
  spec.update_config.order = model::UpdateOrder::StartFirst;
  ASSERT_TRUE(world_.replace("web", spec));
  ASSERT_TRUE(until([&] { return world_.status("web").state == State::Running && world_.status("web").updated == 3; })) << world_.pending();
  ASSERT_TRUE(settle()) << world_.pending();
  auto const after = records();
  ASSERT_THAT(after, SizeIs(3));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_GT(after[i].token, tokens_before[i].token);
  EXPECT_THAT(world_.docker.running(), SizeIs(3));
}

TEST_F(SlotsTest, change_over_from_and_to_keep_by_an_update) {
  world_.start_process();
  auto keep = spec_of("ok:1", 2);
  keep.on_isolation = model::OnIsolation::Keep;
  ASSERT_TRUE(world_.create("web", keep));
  ASSERT_TRUE(settle()) << world_.pending();
  EXPECT_THAT(records(), IsEmpty());
  ASSERT_TRUE(world_.replace("web", spec_of("ok:1", 2)));
  ASSERT_TRUE(settle()) << world_.pending();
  EXPECT_THAT(records(), SizeIs(2));
  ASSERT_TRUE(world_.replace("web", keep));
  ASSERT_TRUE(settle()) << world_.pending();
  EXPECT_THAT(records(), IsEmpty());
  EXPECT_THAT(world_.docker.running(), SizeIs(2));
}

TEST_F(SlotsTest, run_on_while_the_store_is_away_for_less_than_stop_after) {
  make_web(1);
  auto const container = instance().detail->container.id();
  world_.store().set_reachable(false);
  pass(10s);
  world_.store().set_reachable(true);
  ASSERT_TRUE(settle()) << world_.pending();
  EXPECT_EQ(world_.docker.find(container)->starts, 1);
  EXPECT_EQ(world_.docker.running().size(), 1);
}

TEST_F(SlotsTest, end_when_the_store_is_away_for_longer_and_start_again_in_place) {
  make_web(1);
  auto const id = instance().id;
  world_.store().set_reachable(false);
  auto const cut_at = world_.loop.now().monotonic;
  ASSERT_TRUE(until([&] { return world_.docker.running().empty(); }, 30s));
  auto const ended_after = world_.loop.now().monotonic - cut_at;
  EXPECT_GT(ended_after, 14s);
  EXPECT_LT(ended_after, 18s);
  pass(20s);
  EXPECT_THAT(world_.docker.running(), IsEmpty());
  EXPECT_EQ(instance().reason, Reason::LeaseEnded);

  world_.store().set_reachable(true);
  ASSERT_TRUE(settle()) << world_.pending();
  EXPECT_EQ(instance().id, id);
  EXPECT_THAT(world_.docker.running(), SizeIs(1));
}

TEST_F(SlotsTest, keep_running_over_a_restart_of_the_process) {
  make_web(2);
  auto const before = world_.docker.running();
  world_.kill_process();
  world_.loop.advance(5s);
  world_.start_process();
  ASSERT_TRUE(settle()) << world_.pending();
  pass(1min);
  EXPECT_EQ(world_.docker.running(), before);
  for (auto const& [id, container] : world_.docker.containers()) EXPECT_EQ(container.starts, 1);
}

TEST_F(SlotsTest, are_ended_by_the_guard_when_the_agent_is_dead) {
  make_web(2);
  world_.kill_process();
  world_.loop.advance(10s);
  world_.loop.advance(10s);
  EXPECT_THAT(world_.docker.running(), IsEmpty());
  world_.start_process();
  ASSERT_TRUE(settle()) << world_.pending();
  EXPECT_THAT(world_.docker.running(), SizeIs(2));
}

TEST_F(SlotsTest, are_started_again_though_their_policy_wants_no_restart) {
  world_.start_process();
  auto spec = spec_of("ok:1", 1);
  spec.restart_policy.condition = model::RestartCondition::None;
  ASSERT_TRUE(world_.create("web", spec));
  ASSERT_TRUE(settle()) << world_.pending();
  world_.kill_process();
  world_.loop.advance(20s);
  world_.start_process();
  ASSERT_TRUE(settle()) << world_.pending();
  EXPECT_THAT(world_.docker.running(), SizeIs(1));
}

TEST_F(SlotsTest, are_not_admitted_where_there_is_no_guard) {
  world_.has_guard = false;
  world_.start_process();
  ASSERT_TRUE(world_.create("web", spec_of("ok:1", 1)));
  ASSERT_TRUE(until([&] { return world_.status("web").message.contains("no guard runs on the node"); }));
  EXPECT_EQ(instance().reason, Reason::NoGuard);
  pass(30s);
  EXPECT_THAT(world_.docker.containers(), IsEmpty());

  ASSERT_TRUE(world_.remove("web"));
  ASSERT_TRUE(until([&] { return world_.master().find_service("web") == nullptr; })) << world_.pending();
  EXPECT_THAT(records(), IsEmpty());
}

TEST_F(SlotsTest, are_given_back_when_the_agent_has_lost_its_state) {
  make_web(1);
  world_.kill_process();
  world_.forget_agent_state();
  world_.start_process();
  ASSERT_TRUE(settle()) << world_.pending();
  EXPECT_THAT(world_.docker.running(), SizeIs(1));
  EXPECT_THAT(records(), SizeIs(1));
}

// ---- at random

class RandomSlots : public SlotsTest, public testing::WithParamInterface<int> {
 protected:
  RandomSlots() : SlotsTest(static_cast<std::uint64_t>(GetParam())), random_(static_cast<std::uint64_t>(GetParam()) * 7919 + 3) {}

  void act() {
    auto const name = std::string(1, static_cast<char>('a' + random_() % 3));
    switch (random_() % 12) {
      case 0:
      case 1:
      case 2: set(name); break;
      case 3:
        if (world_.remove(name)) wanted_.erase(name);
        break;
      case 4: restart_process(random_() % 1000 * 1ms); break;
      case 5: restart_process(random_() % 25 * 1s); break;
      case 6: cut_store(random_() % 20 * 1s); break;
      case 7:
        if (world_.docker.is_up()) world_.docker.crash(FakeDocker::Fate::LiveOn);
        break;
      case 8:
      case 9:
        if (!world_.docker.is_up()) world_.docker.start();
        break;
      case 10:
        if (auto const running = world_.docker.running(); !running.empty()) world_.docker.kill(running[random_() % running.size()], 137);
        break;
      default: break;
    }
  }
  void set(std::string const& name) {
    auto const spec = spec_of(random_() % 2 == 0 ? "ok:1" : "ok:2", static_cast<std::int64_t>(random_() % 5));
    auto const body = std::make_shared<model::ServiceSpec const>(spec);
    if (world_.command({.service = name, .body = service::Replace{body, true}})) wanted_[name] = spec;
  }
  void restart_process(Duration after) {
    world_.kill_process();
    world_.loop.advance(after);
    world_.start_process();
  }
  void cut_store(Duration time) {
    world_.store().set_reachable(false);
    pass(time);
    world_.store().set_reachable(true);
  }
  void heal() {
    if (!world_.docker.is_up()) world_.docker.start();
    pass(1min);
    settle(30min);
    for (auto& [name, spec] : wanted_) {  // that a fault stopped
      if (world_.status(name).state == State::Paused) ASSERT_TRUE(world_.command({.service = name, .body = service::Restart{}}));
    }
    ASSERT_TRUE(settle(30min)) << world_.pending();
  }

  std::mt19937_64 random_;
  std::map<std::string, model::ServiceSpec> wanted_;
};

TEST_P(RandomSlots, are_never_doubled_and_come_out_as_the_model_says) {
  world_.start_process();
  for (int i = 0; i < 100; ++i) {
    act();
    pass(random_() % 3000 * 1ms);
  }
  heal();
  std::size_t instances = 0;
  for (auto const& [name, spec] : wanted_) {
    EXPECT_EQ(world_.status(name).state, State::Running) << name;
    EXPECT_EQ(world_.status(name).ready, spec.instances) << name;
    instances += static_cast<std::size_t>(spec.instances);
  }
  EXPECT_THAT(world_.docker.running(), SizeIs(instances));
  EXPECT_THAT(records(), SizeIs(instances));
}

int seeds() {
  auto const* given = std::getenv("DAVIT_SEEDS");
  return given ? std::atoi(given) : 25;
}
INSTANTIATE_TEST_SUITE_P(Seeds, RandomSlots, testing::Range(1, 1 + seeds()));

}  // namespace
}  // namespace davit::sim
