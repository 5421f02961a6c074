// A service whose nodes are drained, plan by plan.
#include "core/service/moving.hpp"

#include <gmock/gmock.h>

namespace davit::service {
namespace {

using model::InstanceState;
using model::Reason;
using testing::ElementsAre;
using testing::IsEmpty;

struct MovingTest : testing::Test {
  MovingTest() { describe({.image = "web:1"}, 3); }

  void describe(model::ServiceSpec spec, std::int64_t slots) {
    spec.instances = slots;
    head = model::apply({.name = "web"}, {.number = 1,
                                          .time = Wall{std::chrono::hours(1)},
                                          .tag = "t",
                                          .body = model::ServiceCreated{std::make_shared<model::ServiceSpec const>(std::move(spec))}});
    head = model::apply(std::move(head), {.number = 2, .time = Wall{std::chrono::hours(1)}, .tag = "t", .body = model::RolloutCompleted{}});
  }

  Instance& add(std::uint32_t slot, std::uint64_t id) {
    Instance instance;
    instance.id = {id};
    instance.slot = slot;
    instance.revision = head.revision;
    instance.node = NodeIx{1};
    instance.state = InstanceState::Running;
    instance.ready_since = Monotonic{} + 1s;
    instances.push_back(std::move(instance));
    return instances.back();
  }
  Instance& add_leaving(std::uint32_t slot, std::uint64_t id) {
    auto& instance = add(slot, id);
    instance.is_leaving = true;
    return instance;
  }
  Plan plan_now() {
    std::ranges::sort(instances, InOrder{});
    return plan(head, instances, {.monotonic = Monotonic{} + 1h, .wall = Wall{std::chrono::hours(2)}});
  }
  static std::vector<std::uint64_t> ids(std::vector<StopOrder> const& orders) {
    std::vector<std::uint64_t> all;
    for (auto const& order : orders) all.push_back(order.id.value);
    return all;
  }

  model::Head head;
  std::vector<Instance> instances;
};

TEST_F(MovingTest, places_a_successor_beside_one_leaving_instance_at_a_time) {
  add_leaving(1, 1), add_leaving(2, 2), add(3, 3);
  auto const plan = plan_now();
  EXPECT_THAT(plan.place, ElementsAre(1));
  EXPECT_THAT(plan.stop, IsEmpty());
}

TEST_F(MovingTest, keeps_one_of_two_that_both_leave) {
  add_leaving(1, 1), add_leaving(1, 4), add(2, 2), add(3, 3);
  auto const plan = plan_now();
  EXPECT_THAT(ids(plan.stop), ElementsAre(4));
  EXPECT_THAT(plan.place, ElementsAre(1));
}

TEST_F(MovingTest, waits_for_the_successor_and_keeps_it) {
  add_leaving(1, 1), add_leaving(2, 2), add(3, 3);
  auto& next = add(1, 9);
  next.state = InstanceState::Starting;
  next.ready_since = kNever;
  auto const plan = plan_now();
  EXPECT_THAT(plan.place, IsEmpty());
  EXPECT_THAT(plan.stop, IsEmpty());
}

TEST_F(MovingTest, stops_the_old_one_when_its_successor_serves) {
  add_leaving(1, 1), add_leaving(2, 2), add(3, 3), add(1, 9);
  auto const plan = plan_now();
  EXPECT_THAT(ids(plan.stop), ElementsAre(1));
  EXPECT_THAT(plan.place, ElementsAre(2));
}

TEST_F(MovingTest, is_not_held_up_by_a_slot_that_fits_nowhere_else) {
  add_leaving(1, 1), add_leaving(2, 2), add(3, 3);
  auto& next = add(1, 9);
  next.node = kNoNode;
  next.state = InstanceState::Pending;
  next.reason = Reason::NoNodeFits;
  next.ready_since = kNever;
  EXPECT_THAT(plan_now().place, ElementsAre(2));
}

TEST_F(MovingTest, moves_what_a_paused_rollout_has_not_reached_as_it_is) {
  add_leaving(1, 1), add_leaving(2, 2), add(3, 3);
  auto const at = Wall{std::chrono::hours(1)};
  auto next = *head.spec();
  next.image = "web:2";
  model::EventBody const bodies[] = {model::SpecChanged{std::make_shared<model::ServiceSpec const>(std::move(next)), true},
                                     model::RolloutPaused{}};
  for (auto const& body : bodies) head = model::apply(std::move(head), {.number = head.events + 1, .time = at, .tag = "t", .body = body});
  auto const plan = plan_now();
  EXPECT_THAT(plan.place, IsEmpty());
  EXPECT_THAT(plan.stop, IsEmpty());
  EXPECT_THAT(plan.place_earlier, ElementsAre(Successor{1, 1}));
}

TEST_F(MovingTest, gives_up_the_successor_when_the_node_is_taken_back) {
  add(1, 1), add(2, 2), add(3, 3);
  auto& next = add(1, 9);
  next.state = InstanceState::Starting;
  next.ready_since = kNever;
  EXPECT_THAT(ids(plan_now().stop), ElementsAre(9));
}

TEST_F(MovingTest, stops_at_once_what_does_not_serve) {
  auto& sick = add_leaving(1, 1);
  sick.state = InstanceState::Failed;
  sick.ready_since = kNever;
  add(2, 2), add(3, 3);
  EXPECT_THAT(ids(plan_now().stop), ElementsAre(1));
}

TEST_F(MovingTest, keeps_what_replaced_an_instance_whose_node_was_declared_down) {
  add(1, 1).was_downed = true;  // the older one, back with its node
  add(1, 9).created = Monotonic{} + 1min;
  add(2, 2), add(3, 3);
  EXPECT_THAT(ids(plan_now().stop), ElementsAre(1));
}

TEST_F(MovingTest, leaves_alone_what_has_not_answered) {
  add_leaving(1, 1).is_unknown = true;
  add(2, 2), add(3, 3);
  auto const plan = plan_now();
  EXPECT_THAT(plan.place, IsEmpty());
  EXPECT_THAT(plan.stop, IsEmpty());
}

TEST_F(MovingTest, keeps_both_of_a_failed_rollout_until_one_has_answered) {
  auto& old = add(1, 1);
  old.revision = head.revision;
  head = model::apply(
      std::move(head),
      {.number = 3,
       .time = Wall{std::chrono::hours(1)},
       .tag = "t",
       .body = model::SpecChanged{std::make_shared<model::ServiceSpec const>(model::ServiceSpec{.image = "web:2", .instances = 1}), true}});
  head = model::apply(
      std::move(head),
      {.number = 4, .time = Wall{std::chrono::hours(1)}, .tag = "t", .body = model::RolloutCompleted{true, Reason::Exited, ""}});
  add(1, 2);
  for (auto& each : instances) each.is_unknown = true;
  EXPECT_THAT(plan_now().stop, IsEmpty());
  instances[0].is_unknown = false;  // the old one
  EXPECT_THAT(ids(plan_now().stop), ElementsAre(2));
  instances[0].is_unknown = true;
  instances[1].is_unknown = false;
  EXPECT_THAT(ids(plan_now().stop), ElementsAre(1));
}

TEST_F(MovingTest, stops_nothing_first_for_what_may_not_be_there) {
  model::ServiceSpec spec{.image = "web:1"};
  spec.update_config.order = model::UpdateOrder::StopFirst;
  describe(std::move(spec), 1);
  add(1, 1).revision = 0;  // left over from an earlier one
  add(1, 2).is_unknown = true;
  EXPECT_THAT(plan_now().stop, IsEmpty());
  instances[1].is_unknown = false;
  instances[1].ready_since = kNever;
  EXPECT_THAT(ids(plan_now().stop), ElementsAre(1));
}

TEST_F(MovingTest, places_no_successor_of_what_it_stops) {
  model::ServiceSpec spec{.image = "web:1"};
  spec.update_config.order = model::UpdateOrder::StopFirst;
  describe(spec, 1);
  spec.image = "web:2";
  spec.instances = 1;
  auto const journal = [&](model::EventBody body) {
    head = model::apply(std::move(head),
                        {.number = head.events + 1, .time = Wall{std::chrono::hours(1)}, .tag = "t", .body = std::move(body)});
  };
  journal(model::SpecChanged{std::make_shared<model::ServiceSpec const>(spec), true});
  journal(model::RolloutCompleted{});
  add_leaving(1, 1).revision = 1;  // its node was away meanwhile
  auto const plan = plan_now();
  EXPECT_THAT(ids(plan.stop), ElementsAre(1));
  EXPECT_THAT(plan.place_earlier, IsEmpty());
}

TEST_F(MovingTest, stops_first_where_two_of_a_slot_must_never_run) {
  describe({.image = "db:1", .on_isolation = model::OnIsolation::Stop}, 2);
  add_leaving(1, 1), add_leaving(2, 2);
  auto const plan = plan_now();
  EXPECT_THAT(ids(plan.stop), ElementsAre(1));
  EXPECT_THAT(plan.place, IsEmpty());
}

TEST_F(MovingTest, never_moves_what_writes_to_a_volume_of_its_node) {
  model::ServiceSpec spec{.image = "db:1"};
  spec.volumes = {{.type = model::MountType::Volume, .source = "data", .target = "/data"}};
  describe(std::move(spec), 1);
  add_leaving(1, 1);
  auto const plan = plan_now();
  EXPECT_THAT(plan.place, IsEmpty());
  EXPECT_THAT(plan.stop, IsEmpty());
}

}  // namespace
}  // namespace davit::service
