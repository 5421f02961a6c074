// Properties of rollouts over seeded random lives of a service: what agents report, what users ask in between, what fails.
#include "core/service/rollout.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include <fmt/core.h>

namespace davit::service {
namespace {

using model::FailureAction;
using model::InstanceState;
using model::RolloutState;

constexpr std::int64_t kMostInstances = 7;
constexpr std::uint64_t kSeeds = 500;
constexpr Wall kStart{std::chrono::milliseconds{1'700'000'000'000}};

class Life {
 public:
  explicit Life(std::uint64_t seed) : random_(seed) {
    head_.name = "web";
    journal(model::ServiceCreated{spec(1)});
    while (!all_serve()) step(false);
  }

  void run() {
    for (int i = 0; i < 400 && !testing::Test::HasFailure(); ++i) {
      if (chance(12)) ask();
      if (chance(30)) begin_with_new_owner();
      step(true);
    }
    come_to_an_end();
  }

 private:
  // ---- what users ask

  model::SpecRef spec(int image) {
    model::ServiceSpec made{.image = fmt::format("image:{}", image)};
    made.instances = head_.events == 0 ? number(1, kMostInstances) : head_.spec()->instances;
    auto& config = made.update_config;
    config.parallelism = number(0, 4);
    config.order = static_cast<model::UpdateOrder>(number(0, 2));
    config.failure_action = static_cast<model::FailureAction>(number(0, 2));
    config.max_failure_ratio = static_cast<double>(number(0, 2)) / 4;
    config.delay = number(0, 1) * 5s;
    config.progress_deadline = 2min;
    if (chance(4)) made.ports = {{.target = 80, .published = 8080}};
    return std::make_shared<model::ServiceSpec const>(std::move(made));
  }

  void ask() {
    switch (number(0, 4)) {
      case 0:
      case 1: return journal(model::SpecChanged{spec(++images_), true});
      case 2: return scale();
      case 3:
        if (head_.rollout.state == RolloutState::Active) journal(model::RolloutPaused{});
        return;
      default: return resume();
    }
  }

  void resume() {
    bool const is_paused = head_.rollout.state == RolloutState::Paused || head_.rollout.state == RolloutState::Stopped;
    if (is_paused) journal(model::RolloutResumed{});
  }

  void scale() {
    auto scaled = *head_.spec();
    scaled.instances = number(0, kMostInstances);
    journal(model::SpecChanged{std::make_shared<model::ServiceSpec const>(std::move(scaled)), false});
  }

  void journal(model::EventBody body) {
    head_ = model::apply(std::move(head_), {.number = head_.events + 1, .time = wall(), .tag = "t", .body = std::move(body)});
  }

  // ---- what an owner and agents make of it

  void step(bool is_rough) {
    auto plan = service::plan(head_, instances_, {now_, wall()});
    check(plan);
    for (auto const& order : plan.stop) {
      auto& instance = *std::ranges::find(instances_, order.id, &Instance::id);
      instance.stop_sent = true;
      end_serving(instance);
      instance.state = InstanceState::Stopping;
    }
    for (auto const slot : plan.place) {
      Instance made;
      made.id = {++ids_};
      made.slot = slot;
      made.revision = head_.revision;
      made.created = now_;
      made.state = InstanceState::Starting;
      made.is_confirmed = true;
      made.detail->created_at = made.detail->state_since = wall();
      instances_.push_back(std::move(made));
    }
    // A decision may be made again before it is journalled, or be lost with its owner.
    if (plan.decision && !(is_rough && chance(3))) journal(*std::move(plan.decision));
    now_ += std::chrono::milliseconds(number(0, 4000));
    for (auto& instance : instances_) change(instance, is_rough);
    std::erase_if(instances_, [](Instance const& each) { return each.state == InstanceState::Lost; });
    std::ranges::sort(instances_, InOrder());
  }

  // What only the last one knew is gone.
  void begin_with_new_owner() {
    for (auto& instance : instances_) {
      instance.is_confirmed = false;
      instance.detail->rare.change([](Exceptional& rare) { rare.settled_at = kNever; });
    }
  }

  void change(Instance& instance, bool is_rough) {
    if (is_rough ? chance(60) : bool(instance.is_unknown)) instance.is_unknown = !instance.is_unknown;
    if (instance.is_unknown) return;
    if (instance.stop_sent) {
      if (chance(2)) instance.state = InstanceState::Lost;
    } else if (is_rough && chance(instance.is_ready() ? 80 : 8)) {
      end_serving(instance);
      ++instance.failures;
      set_state(instance, InstanceState::Failed);
    } else if (instance.state == InstanceState::Failed) {
      if (chance(3)) set_state(instance, InstanceState::Starting);
    } else if (!instance.is_ready() && chance(3)) {
      instance.ready_since = now_;
      set_state(instance, InstanceState::Running);
    }
  }

  void set_state(Instance& instance, InstanceState state) {
    instance.state = state;
    instance.detail->state_since = wall();
  }

  void end_serving(Instance& instance) {
    auto const monitor = terms_of(head_).monitor;
    if (instance.is_ready() && !instance.has_settled() && now_ - instance.ready_since >= monitor)
      instance.detail->rare.change([&](Exceptional& rare) { rare.settled_at = instance.ready_since + monitor; });
    instance.ready_since = kNever;
  }

  // ---- what must hold

  // Serving for certain, by slot and side: old or new. Of two on one side one is surplus, and no rollout's affair.
  using Side = std::pair<std::uint32_t, bool>;
  std::map<Side, int> sides() const {
    std::map<Side, int> all;
    for (auto const& each : instances_) {
      if (each.slot <= head_.spec()->instances && serves(each)) ++all[{each.slot, each.revision == head_.revision}];
    }
    return all;
  }

  void check(Plan const& plan) const {
    auto const terms = terms_of(head_);
    auto const slots = static_cast<std::size_t>(head_.spec()->instances);
    auto after = sides();
    auto const before = after.size();
    for (auto const& order : plan.stop) {
      auto const& instance = *std::ranges::find(instances_, order.id, &Instance::id);
      ASSERT_FALSE(instance.stop_sent) << "it is asked twice";
      if (instance.slot > slots || !serves(instance)) continue;
      Side const side{instance.slot, instance.revision == head_.revision};
      if (--after.at(side) == 0) after.erase(side);
    }
    for (auto const slot : plan.place) {
      ASSERT_TRUE(slot >= 1 && slot <= slots);
      ASSERT_EQ(std::ranges::count(plan.place, slot), 1);
      bool const has_successor = std::ranges::any_of(
          instances_, [&](Instance const& each) { return each.slot == slot && each.revision == head_.revision && !each.stop_sent; });
      ASSERT_FALSE(has_successor) << "a second one beside it";
    }
    if (!head_.rollout.is_under_way()) return;
    if (after.size() < before) {
      std::size_t serving = 0;
      for (auto const& [side, count] : after) serving += static_cast<std::size_t>(count);
      ASSERT_GE(serving + (terms.is_start_first ? 0 : terms.parallelism), slots);
    }
    ASSERT_LE(begun_by(plan), terms.parallelism);
    if (head_.rollout.state == RolloutState::Paused) ASSERT_FALSE(plan.decision);
  }

  // Slots that only old instances serve, and of which one is stopped or gets its successor.
  std::size_t begun_by(Plan const& plan) const {
    std::map<std::uint32_t, bool> is_begun;
    for (auto const& [side, count] : sides()) {
      if (!side.second) is_begun[side.first] = false;
    }
    for (auto const& each : instances_) {
      if (each.revision == head_.revision && !each.stop_sent) is_begun.erase(each.slot);
    }
    for (auto const slot : plan.place) {
      if (auto const found = is_begun.find(slot); found != is_begun.end()) found->second = true;
    }
    for (auto const& order : plan.stop) {
      auto const& instance = *std::ranges::find(instances_, order.id, &Instance::id);
      auto const found = is_begun.find(order.slot);
      bool const is_surplus = std::ranges::count_if(instances_, [&](Instance const& each) { return each.slot == order.slot; }) > 1;
      if (found != is_begun.end() && serves(instance) && !is_surplus) found->second = true;
    }
    return static_cast<std::size_t>(std::ranges::count(is_begun, true, [](auto const& each) { return each.second; }));
  }

  bool wants_nothing() const {
    auto const plan = service::plan(head_, instances_, {now_, wall()});
    bool const is_over = !head_.rollout.is_under_way() && head_.rollout.state != RolloutState::Stopped;
    return is_over && plan.place.empty() && plan.stop.empty();
  }
  bool all_serve() const { return std::ranges::ssize(instances_) == head_.spec()->instances && std::ranges::all_of(instances_, serves); }

  void come_to_an_end() {
    for (int i = 0; i < 3000 && !testing::Test::HasFailure(); ++i) {
      resume();
      step(false);
      if (all_serve() && wants_nothing()) break;
    }
    ASSERT_FALSE(head_.rollout.is_under_way()) << model::to_string(head_.rollout.state);
    ASSERT_TRUE(all_serve()) << instances_.size() << " of " << head_.spec()->instances;
    if (head_.rollout.state == RolloutState::Incomplete) return;
    for (auto const& each : instances_) ASSERT_EQ(each.revision, head_.revision);
  }

  bool chance(int one_in) { return random_() % static_cast<std::uint64_t>(one_in) == 0; }
  std::int64_t number(std::int64_t from, std::int64_t to) {
    return from + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(to - from + 1));
  }
  Wall wall() const { return kStart + std::chrono::floor<std::chrono::milliseconds>(now_.time_since_epoch()); }

  std::mt19937_64 random_;
  model::Head head_;
  std::vector<Instance> instances_;
  Monotonic now_{1h};
  std::uint64_t ids_ = 0;
  int images_ = 1;
};

TEST(Rollout, keeps_its_word_and_ends_whatever_happens) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    Life(seed).run();
    if (HasFailure()) return;
  }
}

// From one revision to another; without more words two slots, both at once.
model::Head head_on_its_way(std::int64_t instances = 2, model::UpdateConfig config = {.parallelism = 0}) {
  auto const spec = [&](char const* image) {
    model::ServiceSpec made{.image = image};
    made.instances = instances;
    made.update_config = config;
    return std::make_shared<model::ServiceSpec const>(std::move(made));
  };
  model::Head head{.name = "web"};
  model::EventBody const bodies[] = {model::ServiceCreated{spec("web:1")}, model::RolloutCompleted{},
                                     model::SpecChanged{spec("web:2"), true}};
  std::uint64_t number = 0;
  for (auto const& body : bodies) head = model::apply(std::move(head), {.number = ++number, .time = kStart, .tag = "t", .body = body});
  return head;
}

// Ids 1 and 2 are slot 1's old and new one, 3 and 4 slot 2's; all serve.
std::vector<Instance> instances_of_both() {
  std::vector<Instance> instances;
  for (std::uint64_t id = 1; id <= 4; ++id) {
    Instance made;
    made.id = {id};
    made.slot = id <= 2 ? 1 : 2;
    made.revision = id % 2 == 1 ? 1 : 2;
    made.created = Monotonic{} + 59min;
    made.state = InstanceState::Running;
    made.ready_since = Monotonic{} + 1s;
    instances.push_back(std::move(made));
  }
  return instances;
}

std::vector<std::uint64_t> stopped_of(std::vector<Instance> const& instances) {
  std::vector<std::uint64_t> ids;
  for (auto const& order : plan(head_on_its_way(), instances, {Monotonic{} + 1h, kStart + 1min}).stop) ids.push_back(order.id.value);
  return ids;
}

TEST(Rollout, misses_what_may_serve_like_what_serves) {
  auto instances = instances_of_both();
  auto& old = instances[0];
  auto& other = instances[3];
  old.is_unknown = true;
  instances[2].ready_since = other.ready_since = kNever;
  EXPECT_EQ(stopped_of(instances), std::vector<std::uint64_t>{3}) << "slot 2 is not served yet";
  other.ready_since = Monotonic{} + 1s;
  EXPECT_EQ(stopped_of(instances), (std::vector<std::uint64_t>{1, 3}));
}

// Three slots, of which the first has its new instance: it had served for `monitor` by then, and is as the test says now.
std::vector<Instance> instances_with_one_settled(InstanceState state, Monotonic ready_since, Monotonic settled_at) {
  std::vector<Instance> instances;
  for (std::uint32_t slot = 1; slot <= 3; ++slot) {
    Instance made;
    made.id = {slot};
    made.slot = slot;
    made.revision = slot == 1 ? 2 : 1;
    made.created = Monotonic{} + 59min;
    made.state = slot == 1 ? state : InstanceState::Running;
    made.ready_since = slot == 1 ? ready_since : Monotonic{} + 1s;
    if (slot == 1) made.detail->rare.change([&](Exceptional& rare) { rare.settled_at = rare.served_until = settled_at; });
    instances.push_back(std::move(made));
  }
  return instances;
}

// The new instance settled at the hour, and has ended since. One at a time, with `delay` between.
TEST(Rollout, rests_for_delay_also_after_one_that_has_ended) {
  auto const head = head_on_its_way(3, {.parallelism = 1, .delay = 1min, .order = model::UpdateOrder::StartFirst});
  auto const plan_after = [&](Duration time, bool serves_again) {
    auto const instances = instances_with_one_settled(serves_again ? InstanceState::Running : InstanceState::Exited,
                                                      serves_again ? Monotonic{} + 1h + 20s : kNever, Monotonic{} + 1h);
    return plan(head, instances, {Monotonic{} + 1h + time, kStart + std::chrono::floor<std::chrono::milliseconds>(time)});
  };
  for (bool const serves_again : {false, true}) {
    SCOPED_TRACE(serves_again);
    EXPECT_TRUE(plan_after(59s, serves_again).place.empty());
    EXPECT_LE(plan_after(59s, serves_again).wake_at, Monotonic{} + 1h + 1min);
    EXPECT_EQ(plan_after(1min, serves_again).place, std::vector<std::uint32_t>{2});
  }
}

// Slot 1 is done, and has ended for good; stop-first, no other one may go before it serves again.
struct SettledTest : testing::Test {
  explicit SettledTest(FailureAction action = FailureAction::Rollback)
      : head(head_on_its_way(
            3, {.parallelism = 1, .order = model::UpdateOrder::StopFirst, .failure_action = action, .progress_deadline = 2min})),
        instances(instances_with_one_settled(InstanceState::Exited, kNever, Monotonic{} + 1h + 1s)) {}
  Plan plan_after(Duration time) const {
    return plan(head, instances, {Monotonic{} + 1h + time, kStart + std::chrono::floor<std::chrono::milliseconds>(time)});
  }

  model::Head head;
  std::vector<Instance> instances;
};

TEST_F(SettledTest, is_waited_for_until_the_progress_deadline) {
  auto const waiting = plan_after(1min);
  EXPECT_TRUE(waiting.stop.empty());
  EXPECT_FALSE(waiting.decision);
  EXPECT_EQ(waiting.wake_at, Monotonic{} + 1h + 1s + 2min);
  auto const over = plan_after(3min);
  ASSERT_TRUE(over.decision);
  auto const* back = std::get_if<model::RolledBack>(&*over.decision);
  ASSERT_NE(back, nullptr);
  EXPECT_NE(back->message.find("web.1 does not serve any more"), std::string::npos) << back->message;
}

TEST_F(SettledTest, is_waited_for_while_nobody_knows_of_it) {
  instances[0].is_unknown = true;
  EXPECT_FALSE(plan_after(1h).decision);
}

struct ContinuingTest : SettledTest {
  ContinuingTest() : SettledTest(FailureAction::Continue) {}
};

TEST_F(ContinuingTest, ends_in_part) {
  auto const over = plan_after(3min);
  ASSERT_TRUE(over.decision);
  auto const* completed = std::get_if<model::RolloutCompleted>(&*over.decision);
  ASSERT_NE(completed, nullptr);
  EXPECT_TRUE(completed->is_partial);
}

TEST(Rollout, waits_for_a_slot_that_has_found_a_node_but_for_none_that_has_not) {
  auto instances = instances_of_both();
  auto& first = instances[0];
  first.state = InstanceState::Pending;
  first.ready_since = kNever;
  instances.erase(instances.begin() + 1);
  EXPECT_EQ(stopped_of(instances), (std::vector<std::uint64_t>{3, 1})) << "slot 1 has no node: what goes in slot 2 does not wait for it";
  first.node = NodeIx{4};
  EXPECT_EQ(stopped_of(instances), std::vector<std::uint64_t>{1}) << "slot 1 is being claimed, and will serve";
}

}  // namespace
}  // namespace davit::service
