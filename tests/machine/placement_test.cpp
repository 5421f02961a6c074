// A master with several nodes: which of them its instances come to, and what users read when none takes one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "adapters/link_local/link_local.hpp"
#include "drivers/master_driver.hpp"
#include "machine/fake_nodes.hpp"
#include "sim/memory_store.hpp"
#include "sim/virtual_loop.hpp"

namespace davit::sim {
namespace {

using model::Reason;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr NodeId kN1{1};
constexpr NodeId kN2{2};
constexpr NodeId kN3{3};

model::ServiceSpec spec_of(std::int64_t instances, std::vector<std::string> constraints = {}) {
  model::ServiceSpec spec;
  spec.image = "ok";
  spec.instances = instances;
  spec.placement.constraints = std::move(constraints);
  return spec;
}

class PlacementTest : public testing::Test {
 protected:
  PlacementTest() {
    driver_.start();
    nodes_.join(kN1, "n1");
    nodes_.join(kN2, "n2");
    nodes_.join(kN3, "n3", "linux/arm64");
    EXPECT_TRUE(until([&] { return master().view().nodes.size() == 3 && master().acts_for({0}) && master().acts_for({kShards - 1}); }));
    label(kN1, {{"disk", "ssd"}, {"zone", "a"}});
    label(kN2, {{"disk", "hdd"}, {"zone", "a"}});
    label(kN3, {{"disk", "hdd"}, {"zone", "b"}});
  }
  ~PlacementTest() override { driver_.stop(), store_.stop(); }

  master::Master const& master() const { return driver_.master(); }
  bool until(std::function<bool()> const& condition, Duration limit = 60s) { return loop_.run_until(condition, limit); }
  bool runs(std::string const& name, std::int64_t instances) {
    return until([&] { return service(name)->status.ready == instances && service(name)->instances.size() == std::size_t(instances); });
  }
  bool waits(std::string const& name) {
    return until([&] { return service(name) && !service(name)->instances.empty() && only(name).reason != Reason::None; });
  }
  master::Service const* service(std::string const& name) const { return master().find_service(name); }
  service::Instance const& only(std::string const& name) const { return service(name)->instances.front(); }

  void create(std::string const& name, model::ServiceSpec spec) {
    command({.service = name, .body = model::Create{std::make_shared<model::ServiceSpec const>(std::move(spec))}});
  }
  void replace(std::string const& name, model::ServiceSpec spec) {
    command({.service = name, .body = model::Replace{std::make_shared<model::ServiceSpec const>(std::move(spec))}});
  }
  void command(model::Command command) {
    std::optional<Result<master::Applied>> answer;
    driver_.command(std::move(command), [&](auto outcome) { answer = std::move(outcome); });
    ASSERT_TRUE(until([&] { return answer.has_value(); }));
    ASSERT_TRUE(*answer) << answer->error().message;
  }
  void on_node(model::NodeCommand command) {
    std::optional<Result<master::Applied>> answer;
    driver_.node_command(std::move(command), [&](auto outcome) { answer = std::move(outcome); });
    ASSERT_TRUE(until([&] { return answer.has_value(); }));
    ASSERT_TRUE(*answer) << answer->error().message;
  }
  void label(NodeId node, std::map<std::string, std::optional<std::string>> labels) {
    on_node({.node = node, .labels = std::move(labels)});
  }
  void set(NodeId node, model::Availability availability) { on_node({.node = node, .availability = availability}); }

  VirtualLoop loop_;
  MemoryStore store_{loop_};
  FakeNodes nodes_{loop_};
  link_local::NoPeers peers_;
  drivers::MasterDriver driver_{{loop_, store_, nodes_, peers_},
                                {.new_cluster = {99}, .session = "s1", .self = {100}, .name = "m1"},
                                {[](master::Transition const&) {}, [](master::Noted const&) {}}};
};

TEST_F(PlacementTest, spreads_a_service_over_nodes_and_over_a_label) {
  create("web", spec_of(6));
  ASSERT_TRUE(runs("web", 6));
  EXPECT_THAT(nodes_.running("web"), ElementsAre("n1", "n1", "n2", "n2", "n3", "n3"));
  auto by_zone = spec_of(4);
  by_zone.placement.spread_by = "zone";
  create("zoned", by_zone);
  ASSERT_TRUE(runs("zoned", 4));
  EXPECT_THAT(nodes_.running("zoned"), ElementsAre("n1", "n2", "n3", "n3"));
}

TEST_F(PlacementTest, obeys_constraints_also_those_that_are_given_later) {
  create("db", spec_of(2, {"node.labels.disk==hdd", "node.platform.arch==amd64"}));
  ASSERT_TRUE(runs("db", 2));
  EXPECT_THAT(nodes_.running("db"), ElementsAre("n2", "n2"));
  create("gpu", spec_of(1, {"node.labels.gpu==a100"}));
  ASSERT_TRUE(waits("gpu"));
  EXPECT_EQ(only("gpu").reason, Reason::NoNodeFits);
  EXPECT_EQ(only("gpu").detail->rare->message, "no node fits: 3 constraint; davit service explain gpu");
  label(kN3, {{"gpu", "a100"}});
  ASSERT_TRUE(runs("gpu", 1));
  EXPECT_THAT(nodes_.running("gpu"), ElementsAre("n3"));
}

TEST_F(PlacementTest, puts_no_more_on_a_node_than_the_service_allows) {
  auto spec = spec_of(5);
  spec.placement.max_replicas_per_node = 1;
  create("web", spec);
  ASSERT_TRUE(until([&] { return service("web")->status.ready == 3; }));
  EXPECT_THAT(nodes_.running("web"), ElementsAre("n1", "n2", "n3"));
  ASSERT_TRUE(until([&] { return service("web")->status.state == service::State::Degraded; }));
  EXPECT_EQ(service("web")->instances.back().reason, Reason::MaxPerNode);
  spec.placement.max_replicas_per_node = 2;
  replace("web", spec);
  EXPECT_TRUE(runs("web", 5));
}

TEST_F(PlacementTest, explains_slot_by_slot_what_is_missing) {
  auto other = spec_of(1, {"node.name==n1"});
  other.resources.reservations.memory = {5LL << 30};
  create("other", other);
  ASSERT_TRUE(runs("other", 1));
  set(kN3, model::Availability::Drain);
  auto spec = spec_of(2, {"node.labels.zone==a", "node.labels.disk==ssd"});
  spec.resources.reservations.memory = {4LL << 30};
  create("db", spec);
  label(kN3, {{"disk", "ssd"}, {"zone", "a"}});
  ASSERT_TRUE(waits("db"));
  ASSERT_TRUE(until([&] {
    return only("db").detail->rare->message == "no node fits: 1 availability, 1 constraint, 1 memory; davit service explain db";
  })) << only("db").detail->rare->message;
  auto const slots = master().explain(*service("db"), 10);
  ASSERT_EQ(slots.size(), 2U);
  EXPECT_EQ(slots[1].slot, 2U);
  ASSERT_EQ(slots[0].nodes.size(), 3U);
  EXPECT_EQ(slots[0].nodes[0].detail, "wants 4 GiB, 3 GiB unreserved");
  EXPECT_EQ(slots[0].nodes[1].detail, "node.labels.disk==ssd, is hdd");
  EXPECT_EQ(slots[0].nodes[2].detail, "drain");
  EXPECT_THAT(slots[0].would_fit, ElementsAre("reservation 3g", "davit node activate n3"));
  EXPECT_EQ(master().explain(*service("db"), 1).size(), 1U);
  EXPECT_THAT(master().explain(*service("other"), 10), IsEmpty());
  set(kN3, model::Availability::Active);
  ASSERT_TRUE(runs("db", 2));
  EXPECT_THAT(nodes_.running("db"), ElementsAre("n3", "n3"));
}

TEST_F(PlacementTest, tries_the_next_node_at_once_when_one_refuses_and_not_the_same_again) {
  nodes_.refuses = [](NodeId node, model::RunInstance const&) { return node != kN2; };
  create("web", spec_of(1));
  ASSERT_TRUE(until([&] { return service("web")->status.ready == 1; }, 500ms)) << "no waiting in between";
  EXPECT_THAT(nodes_.running("web"), ElementsAre("n2"));
  std::set<NodeId> asked;
  for (auto const& [node, instance] : nodes_.offers()) EXPECT_TRUE(asked.insert(node).second) << "asked twice";
}

TEST_F(PlacementTest, says_why_when_all_refuse_and_asks_again_later) {
  bool is_full = true;
  nodes_.refuses = [&](NodeId, model::RunInstance const&) { return is_full; };
  create("web", spec_of(1));
  ASSERT_TRUE(waits("web"));
  EXPECT_EQ(only("web").reason, Reason::PortsExhausted);
  EXPECT_EQ(only("web").detail->rare->message, "no node fits: 3 refused; davit service explain web");
  EXPECT_EQ(nodes_.offers().size(), 3U);
  is_full = false;
  EXPECT_TRUE(runs("web", 1));
  EXPECT_EQ(nodes_.offers().size(), 4U);
}

TEST_F(PlacementTest, keeps_a_fixed_port_off_nodes_where_it_is_taken) {
  auto spec = spec_of(2);
  spec.ports = {{.target = 80, .published = 8080}};
  create("one", spec);
  ASSERT_TRUE(runs("one", 2));
  create("two", spec);
  ASSERT_TRUE(until([&] { return service("two")->status.ready == 1; }));
  ASSERT_TRUE(until([&] { return service("two")->status.state == service::State::Degraded; }));
  EXPECT_EQ(nodes_.offers().size(), 3U) << "nobody is asked in vain";
  EXPECT_EQ(service("two")->instances.back().reason, Reason::HostPortInUse);
}

TEST_F(PlacementTest, keeps_a_slot_with_the_node_that_has_its_volume) {
  auto spec = spec_of(1, {"node.name==n2"});
  spec.volumes = {{.source = "data", .target = "/data"}};
  create("db", spec);
  ASSERT_TRUE(runs("db", 1));
  spec.placement.constraints.clear();
  spec.image = "ok:2";
  replace("db", spec);
  ASSERT_TRUE(until([&] { return service("db")->status.updated == 1; }));
  EXPECT_THAT(nodes_.running("db"), ElementsAre("n2"));

  set(kN2, model::Availability::Pause);
  spec.image = "ok:3";
  replace("db", spec);
  loop_.advance(1min);
  EXPECT_EQ(service("db")->status.ready, 1) << "what nothing could follow is not stopped";
  EXPECT_EQ(only("db").revision, 2U);
  set(kN2, model::Availability::Active);
  ASSERT_TRUE(until([&] { return service("db")->status.updated == 1; }));
  EXPECT_THAT(nodes_.running("db"), ElementsAre("n2"));
}

TEST_F(PlacementTest, forgets_a_service_with_all_that_it_had_reserved) {
  auto spec = spec_of(3);
  spec.resources.reservations = {4, {8LL << 30}};
  create("big", spec);
  ASSERT_TRUE(runs("big", 3));
  spec.image = "ok:2";  // a rollout on the way, so that instances of two revisions count
  replace("big", spec);
  command({.service = "big", .body = model::Remove{}});
  ASSERT_TRUE(until([&] { return service("big") == nullptr; }));
  for (auto const& node : master().nodes()) {
    EXPECT_EQ(node.reserved, model::ResourceAmount());
    EXPECT_EQ(node.instances, 0);
  }
  create("big", spec);
  EXPECT_TRUE(runs("big", 3));
}

TEST_F(PlacementTest, goes_to_the_nodes_that_are_left_when_one_is_gone) {
  create("web", spec_of(3));
  ASSERT_TRUE(runs("web", 3));
  nodes_.cut(kN1);
  auto const is_elsewhere = [&] {
    return std::ranges::none_of(service("web")->instances, [&](auto const& each) { return master().node(each.node)->record.id == kN1; });
  };
  ASSERT_TRUE(until([&] { return service("web")->status.ready == 3 && is_elsewhere(); }));
}

// ---- rebalance

class RebalanceTest : public PlacementTest {
 protected:
  RebalanceTest() {
    set(kN2, model::Availability::Pause);
    set(kN3, model::Availability::Pause);
    create("web", spec_of(4));
    EXPECT_TRUE(runs("web", 4));
    set(kN2, model::Availability::Active);
    EXPECT_THAT(nodes_.running("web"), ElementsAre("n1", "n1", "n1", "n1"));
  }
  void carry_out(std::vector<master::PlannedMove> const& moves) {
    model::Move move;
    for (auto const& each : moves) move.targets.push_back({each.slot, each.id, master().node(each.to)->record.id});
    command({.service = "web", .body = std::move(move)});
  }
  std::vector<InstanceId> ids() const {
    std::vector<InstanceId> all;
    for (auto const& instance : service("web")->instances) all.push_back(instance.id);
    return all;
  }
};

TEST_F(RebalanceTest, moves_instances_to_the_node_that_carries_less_and_no_more_of_them) {
  auto const moves = master().rebalance(10);
  ASSERT_EQ(moves.size(), 2U);
  auto const before = ids();
  EXPECT_EQ(nodes_.running("web").size(), 4U) << "a plan changes nothing";
  carry_out(moves);
  ASSERT_TRUE(until([&] { return nodes_.running("web") == std::vector<std::string>{"n1", "n1", "n2", "n2"}; }));
  ASSERT_TRUE(runs("web", 4));
  auto const after = ids();
  EXPECT_EQ(std::ranges::count_if(before, [&](auto id) { return std::ranges::find(after, id) != after.end(); }), 2);
  EXPECT_THAT(master().rebalance(10), IsEmpty());
}

TEST_F(RebalanceTest, moves_one_after_the_other_and_starts_the_new_one_first) {
  carry_out(master().rebalance(10));
  std::size_t most = 0;
  ASSERT_TRUE(until([&] {
    most = std::max(most, nodes_.running("web").size());
    EXPECT_GE(service("web")->status.ready, 4);
    return nodes_.running("web") == std::vector<std::string>{"n1", "n1", "n2", "n2"};
  }));
  EXPECT_EQ(most, 5U);
}

TEST_F(RebalanceTest, leaves_an_instance_where_it_is_when_its_new_node_refuses_the_successor) {
  nodes_.refuses = [](NodeId node, model::RunInstance const&) { return node == kN2; };
  auto const before = ids();
  carry_out(master().rebalance(10));
  ASSERT_TRUE(until([&] { return service("web")->placing.moves.empty() && service("web")->instances.size() == 4; }));
  static_cast<void>(until([] { return false; }, 30s));
  EXPECT_EQ(ids(), before);
  EXPECT_EQ(nodes_.offers().size(), 6U) << "each move is tried once";
}

TEST_F(RebalanceTest, leaves_alone_what_is_being_updated_or_packed_or_bound) {
  auto spec = spec_of(4);
  spec.placement.strategy = model::Strategy::Binpack;
  replace("web", spec);
  EXPECT_THAT(master().rebalance(10), IsEmpty());
  spec.placement.strategy = model::Strategy::Mix;
  replace("web", spec);
  EXPECT_EQ(master().rebalance(10).size(), 2U);
  spec.image = "ok:2";
  replace("web", spec);
  EXPECT_THAT(master().rebalance(10), IsEmpty());
}

TEST_F(PlacementTest, counts_what_has_no_reservation_as_the_mean_of_what_its_service_uses) {
  auto spec = spec_of(2, {"node.name==n1"});
  spec.placement.strategy = model::Strategy::Binpack;
  create("web", spec);
  ASSERT_TRUE(runs("web", 2));
  auto const taken = [&] { return master().explain_next(*service("web")).front().detail; };
  auto const at_first = taken();
  EXPECT_EQ(at_first, "2 of it here; its instances take 3%");
  nodes_.measure(kN1, {.millicores = 1000, .memory_kib = 1 << 20});
  ASSERT_TRUE(until([&] { return taken() != at_first; }));
  EXPECT_EQ(taken(), "2 of it here; its instances take 38%") << "2 of 4 cores and 2 of 8 GiB";
  EXPECT_EQ(service("web")->usage.millicores, 2000);

  spec.instances = 1;
  replace("web", spec);
  ASSERT_TRUE(runs("web", 1));
  EXPECT_EQ(taken(), "1 of it here; its instances take 19%");
  EXPECT_EQ(service("web")->usage.instances, 1);
}

TEST_F(PlacementTest, keeps_its_mean_for_half_a_minute_and_forgets_the_use_of_what_is_gone) {
  auto const spec = spec_of(1, {"node.name==n1"});
  create("web", spec);
  ASSERT_TRUE(runs("web", 1));
  auto const mean = [&] { return service("web")->placing.mean; };
  nodes_.measure(kN1, {.millicores = 1000, .memory_kib = 1 << 20});
  ASSERT_TRUE(until([&] { return mean() == placement::Amount(1'000'000, std::int64_t{1} << 30); }));
  nodes_.measure(kN1, {.millicores = 10, .memory_kib = 1 << 10});
  loop_.advance(10s);
  EXPECT_EQ(service("web")->usage.millicores, 10);
  EXPECT_EQ(mean().microcores, 1'000'000);
  loop_.advance(30s);
  nodes_.measure(kN1, {.millicores = 0, .memory_kib = 1 << 10});
  loop_.advance(1s);
  EXPECT_EQ(mean(), placement::Amount(10'000, std::int64_t{16} << 20)) << "no container is free";
}

}  // namespace
}  // namespace davit::sim
