// All of it at random: whatever was asked and whatever failed, a last good word is carried out exactly.
#include <cstdlib>
#include <map>
#include <random>

#include "machine/faults_harness.hpp"

namespace davit::sim {
namespace {

using model::ContainerState;
using service::State;
using testing::SizeIs;

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
    switch (random_() % 18) {
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
      case 15: std::ignore = world_.command({.service = name, .body = service::Pause{}}); break;
      case 16: std::ignore = world_.command({.service = name, .body = service::Resume{}}); break;
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
    spec.update_config.failure_action = static_cast<model::FailureAction>(random_() % 3);
    spec.update_config.max_failure_ratio = static_cast<double>(random_() % 3) / 4;
    spec.update_config.delay = random_() % 2 * 2s;
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
