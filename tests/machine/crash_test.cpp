// The process dies at any moment, the engine goes away, events get lost: afterwards all is as it should be, and what ran
// was left alone. Each seed decides everything.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include <fmt/core.h>

#include "machine/world.hpp"

namespace davit::sim {
namespace {

using service::State;
using testing::SizeIs;

model::ServiceSpec spec_of(std::string image, std::int64_t instances) {
  model::ServiceSpec spec;
  spec.image = std::move(image);
  spec.instances = instances;
  return spec;
}

// Containers of ours that run, by instance: no instance may ever run twice.
std::map<std::string, int> running_by_slot(FakeDocker const& docker) {
  std::map<std::string, int> count;
  for (auto const& [id, container] : docker.containers()) {
    auto const& labels = container.detail.labels;
    if (container.detail.state != model::ContainerState::Running || !labels.contains("davit.slot")) continue;
    ++count[labels.at("davit.service") + "." + labels.at("davit.slot")];
  }
  return count;
}

std::string all_of(FakeDocker const& docker) {
  std::string text;
  for (auto const& [id, container] : docker.containers())
    text += fmt::format("{} {} {}\n", id, container.detail.name, model::to_string(container.detail.state));
  return text;
}

class KilledWhileCreating : public testing::TestWithParam<int> {};

TEST_P(KilledWhileCreating, ends_with_exactly_what_was_asked_for) {
  World world(static_cast<std::uint64_t>(GetParam()));
  world.docker.lose_events(0);  // what appears late is found by its event; without, by a list a minute later
  world.start_process();
  ASSERT_TRUE(world.create("web", spec_of("ok", 20)));
  world.loop.advance(std::chrono::milliseconds(GetParam() * 7));
  std::set<std::string> ran;
  world.kill_process();
  // Some start again at once, while the engine still creates what the dead process asked for.
  if (GetParam() % 2 == 0) world.loop.advance(100ms);
  for (auto const& [id, container] : world.docker.containers()) {
    if (container.detail.state == model::ContainerState::Running) ran.insert(id);
  }
  world.start_process();
  ASSERT_TRUE(world.settle(1min)) << world.pending();
  EXPECT_EQ(world.docker.containers().size(), 20U) << all_of(world.docker);
  EXPECT_THAT(world.docker.running(), SizeIs(20));
  for (auto const& id : ran) {
    auto const* kept = world.docker.find(id);
    ASSERT_TRUE(kept) << id;
    EXPECT_EQ(kept->starts, 1);
  }
}
// What the dead process had asked the engine for appears late, and is of a revision that is not wanted any more.
TEST_P(KilledWhileCreating, leaves_no_container_of_an_outdated_revision) {
  World world(static_cast<std::uint64_t>(GetParam()));
  world.docker.lose_events(0);
  world.start_process();
  auto spec = spec_of("ok:1", 10);
  spec.update_config.monitor = 0s;
  spec.drain_delay = 0s;
  ASSERT_TRUE(world.create("web", spec));
  world.loop.advance(std::chrono::milliseconds(GetParam() * 7));
  world.kill_process();
  world.start_process();
  spec.image = "ok:2";
  ASSERT_TRUE(world.replace("web", spec));
  ASSERT_TRUE(world.settle(5min)) << world.pending() << "\n" << all_of(world.docker);
  EXPECT_EQ(world.docker.containers().size(), 10U) << all_of(world.docker);
  for (auto const& [id, container] : world.docker.containers()) EXPECT_EQ(container.image, "ok:2") << all_of(world.docker);
}
INSTANTIATE_TEST_SUITE_P(AtMoments, KilledWhileCreating, testing::Range(0, 60));

TEST(Restart, plans_for_services_of_an_earlier_life) {
  World world;
  world.start_process();
  ASSERT_TRUE(world.create("web", spec_of("ok", 2)));
  ASSERT_TRUE(world.settle(1min)) << world.pending();
  for (int life = 0; life < 3; ++life) {
    world.kill_process();
    world.start_process();
    ASSERT_TRUE(world.settle(1min)) << world.pending();
    EXPECT_THAT(world.master().nodes(), SizeIs(1));
    ASSERT_TRUE(world.replace("web", spec_of("ok", 3 + life)));
    ASSERT_TRUE(world.settle(1min)) << world.pending();
    EXPECT_THAT(world.docker.running(), SizeIs(3 + life));
  }
}

// Operations and faults at random against a model of what must come out.
class RandomRun {
 public:
  explicit RandomRun(std::uint64_t seed) : world_(seed), random_(seed * 7919 + 1) {}

  void run(int steps) {
    world_.start_process();
    world_.docker.add_foreign("web.1.0000000000aa", {{"davit.service", "web"}});
    for (int i = 0; i < steps; ++i) {
      act();
      world_.loop.advance(std::chrono::milliseconds(random_() % 3000));
      for (auto const& [slot, count] : running_by_slot(world_.docker)) {
        EXPECT_LE(count, 3) << slot;  // while a rollout overtakes another: one that serves, its successor, one that is stopping
      }
    }
    heal();
    check();
  }

 private:
  void act() {
    auto const name = std::string(1, static_cast<char>('a' + random_() % 4));
    switch (random_() % 12) {
      case 0:
      case 1:
      case 2: set(name); break;
      case 3: remove(name); break;
      case 4: restart_process(); break;
      case 5:
        if (world_.docker.is_up()) world_.docker.crash(FakeDocker::Fate::LiveOn);
        break;
      case 6:
      case 7:
        if (!world_.docker.is_up()) world_.docker.start();
        break;
      case 8: hurt([&](std::string const& victim) { world_.docker.kill(victim, 137); }); break;
      case 9: hurt([&](std::string const& victim) { world_.docker.remove(victim); }); break;
      case 10: hurt([&](std::string const& victim) { world_.docker.pause(victim, random_() % 2 == 0); }); break;
      default: break;
    }
  }
  void hurt(std::function<void(std::string const&)> const& how) {
    auto const running = world_.docker.running();
    if (running.empty()) return;
    auto const victim = running[random_() % running.size()];
    if (victim != "web.1.0000000000aa") how(victim);
  }
  void restart_process() {
    world_.kill_process();
    world_.loop.advance(std::chrono::milliseconds(random_() % 500));
    world_.start_process();
  }
  void set(std::string const& name) {
    auto spec = spec_of(random_() % 2 == 0 ? "ok:1" : "ok:2", static_cast<std::int64_t>(random_() % 6));
    spec.update_config.monitor = 1s;
    spec.update_config.failure_action = model::FailureAction::Pause;  // the model knows of no rollback
    spec.drain_delay = 0s;
    auto const body = std::make_shared<model::ServiceSpec const>(spec);
    auto const applied = world_.command({.service = name, .body = service::Replace{body, true}});
    if (applied) wanted_[name] = spec;
  }
  void remove(std::string const& name) {
    auto const removed = world_.remove(name);
    EXPECT_EQ(removed.has_value(), wanted_.contains(name) || world_.master().find_service(name) != nullptr);
    if (removed) wanted_.erase(name);
  }
  void heal() {
    if (!world_.docker.is_up()) world_.docker.start();
    world_.loop.advance(1min);  // an event that got lost is found by the next list
    world_.settle(30min);
    // A rollout that a fault stopped goes on when it is asked for anew.
    for (auto& [name, spec] : wanted_) {
      if (world_.status(name).state != State::Paused) continue;
      ASSERT_TRUE(world_.command({.service = name, .body = service::Restart{}}));
    }
    ASSERT_TRUE(world_.settle(30min)) << world_.pending();
  }
  void check() {
    std::map<std::string, int> expected;
    for (auto const& [name, spec] : wanted_) {
      EXPECT_EQ(world_.status(name).state, State::Running) << name;
      for (int slot = 1; slot <= spec.instances; ++slot) expected[name + "." + std::to_string(slot)] = 1;
    }
    EXPECT_EQ(running_by_slot(world_.docker), expected);
    EXPECT_NE(world_.docker.find("web.1.0000000000aa"), nullptr);
    for (auto const& [id, container] : world_.docker.containers()) {
      if (container.detail.state != model::ContainerState::Running || container.image.empty()) continue;  // a stranger's
      EXPECT_EQ(container.image, wanted_.at(container.detail.labels.at("davit.service")).image);
    }
  }

  World world_;
  std::mt19937_64 random_;
  std::map<std::string, model::ServiceSpec> wanted_;
};

class RandomOperations : public testing::TestWithParam<int> {};

TEST_P(RandomOperations, come_out_as_the_model_says) { RandomRun(static_cast<std::uint64_t>(GetParam())).run(200); }
// DAVIT_SEEDS=1000 looks longer.
int seeds() {
  auto const* given = std::getenv("DAVIT_SEEDS");
  return given ? std::atoi(given) : 25;
}
INSTANTIATE_TEST_SUITE_P(Seeds, RandomOperations, testing::Range(1, 1 + seeds()));

}  // namespace
}  // namespace davit::sim
