#include "core/placement/index.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <tuple>

#include <fmt/core.h>

#include "core/placement/score.hpp"

namespace davit::placement {
namespace {

constexpr std::int64_t kGiB = std::int64_t{1} << 30;

// Repeats for ever, so that a failure can be looked at.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : seed_(seed) {}
  std::uint64_t roll(std::uint64_t sides) { return stable_hash(fmt::format("{}/{}", seed_, count_++)) % sides; }
  bool once_in(std::uint64_t sides) { return roll(sides) == 0; }

 private:
  std::uint64_t seed_;
  std::uint64_t count_ = 0;
};

Traits worker(std::size_t i) { return {.id = {i + 1}, .name = fmt::format("n{}", i), .roles = {model::Role::Worker}}; }
Condition up(Amount capacity = {8'000'000, 16 * kGiB}) {
  return {.is_member = true, .status = model::NodeStatus::Up, .engine_up = true, .has_answered = true, .capacity = capacity};
}

// The rules of design.md §8 by a walk over all nodes.
std::optional<NodeIx> choose_by_scan(Index const& index, Search const& search) {
  auto const& eligibility = search.request.kind.eligibility;
  auto const value = [&](NodeIx node) {
    auto const& labels = index.traits(node).labels;
    auto const label = eligibility.spread_by.empty() ? labels.end() : labels.find(eligibility.spread_by);
    return label == labels.end() ? std::string() : label->second;
  };
  std::map<std::string, std::uint32_t> per_value;
  for (auto const& [node, count] : search.tally.entries()) {
    if (matches_all(index.traits(node), eligibility.constraints)) per_value[value(node)] += count;
  }
  std::optional<NodeIx> best;
  auto const rank = [&](NodeIx node) {
    return std::tuple(per_value[value(node)], search.tally.at(node), burden(index.room(node), search.request.kind.strategy),
                      index.tie_break(node) >> 10, value(node), node);
  };
  for (std::size_t i = 0; i < index.size(); ++i) {
    auto const node = NodeIx(i);
    if (first_rejection(search.request, index.sight(node, search))) continue;
    if (!best || rank(node) < rank(*best)) best = node;
  }
  return best;
}

struct Placed {
  std::size_t service;
  Request request;  // as it was then
  NodeIx node;
  bool is_starting;
};

struct Cluster {
  struct Service {
    ServiceUid uid;
    Request request;
    Tally tally;
  };

  explicit Cluster(std::uint64_t seed) : dice(seed), index(seed) {
    auto const nodes = 1 + dice.roll(60);
    for (std::size_t i = 0; i < nodes; ++i) set_node(i);
    auto const count = 1 + dice.roll(12);
    for (std::size_t i = 0; i < count; ++i) services.push_back({{1, static_cast<std::int64_t>(i + 1)}, request_of(random_spec()), {}});
  }

  void set_node(std::size_t i) {
    auto traits = worker(i);
    if (dice.once_in(20)) traits.roles = {model::Role::Master};
    if (!dice.once_in(5)) traits.labels["zone"] = std::string(1, static_cast<char>('a' + dice.roll(4)));
    traits.labels["disk"] = dice.once_in(3) ? "ssd" : "hdd";
    auto condition = up({static_cast<std::int64_t>(1 + dice.roll(4)) * 1'000'000, static_cast<std::int64_t>(1 + dice.roll(4)) * kGiB});
    if (dice.once_in(10)) condition.status = model::NodeStatus::Down;
    if (dice.once_in(10)) condition.availability = model::Availability::Drain;
    if (dice.once_in(20)) condition.has_answered = false;
    index.set_node(NodeIx(i), std::move(traits), condition);
  }

  model::ServiceSpec random_spec() {
    model::ServiceSpec spec;
    if (dice.once_in(3)) spec.placement.constraints.emplace_back(dice.once_in(2) ? "node.labels.disk==ssd" : "node.labels.zone!=a");
    if (dice.once_in(3)) spec.placement.spread_by = dice.once_in(2) ? "zone" : "disk";
    spec.placement.strategy = model::EnumNames<model::Strategy>::kAll[dice.roll(6)].first;
    if (dice.once_in(3)) spec.placement.max_replicas_per_node = static_cast<std::int64_t>(1 + dice.roll(3));
    if (dice.once_in(2)) spec.resources.reservations.cpus = 0.25;
    if (dice.once_in(2)) spec.resources.reservations.memory = {kGiB / 4};
    if (dice.once_in(4)) spec.ports = {{.target = 80, .published = static_cast<std::int64_t>(8080 + dice.roll(2))}};
    return spec;
  }

  void disturb() {
    switch (dice.roll(6)) {
      case 0: set_node(dice.roll(index.size())); break;
      case 1:
        index.set_measured(NodeIx(dice.roll(index.size())),
                           Measured{{static_cast<std::int64_t>(dice.roll(4'000'000)), static_cast<std::int64_t>(dice.roll(4) * kGiB)},
                                    static_cast<std::int64_t>(dice.roll(8'000'000))});
        break;
      case 2: services[dice.roll(services.size())].request = request_of(random_spec()); break;
      default: drop_some();
    }
  }
  void drop(std::size_t i) {
    auto const& [service, request, node, is_starting] = placed[i];
    index.remove(node, request, is_starting);
    services[service].tally.remove(node);
    placed.erase(placed.begin() + static_cast<std::ptrdiff_t>(i));
  }
  void drop_some() {
    if (!placed.empty()) drop(dice.roll(placed.size()));
  }

  Dice dice;
  Index index;
  std::vector<Service> services;
  std::vector<Placed> placed;
};

class IndexAgainstScan : public testing::TestWithParam<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, IndexAgainstScan, testing::Range<std::uint64_t>(1, 61));

TEST_P(IndexAgainstScan, chooses_the_same_node_always) {
  Cluster cluster(GetParam());
  auto& [dice, index, services, placed] = cluster;
  std::size_t found = 0;
  for (int step = 0; step < 400; ++step) {
    if (dice.once_in(4)) cluster.disturb();
    auto const i = dice.roll(services.size());
    std::vector<Refusal> refusals;
    if (dice.once_in(5)) refusals.push_back({NodeIx(dice.roll(index.size())), {}, model::Reason::HostPortInUse, ""});
    Search const search{.service = services[i].uid,
                        .request = services[i].request,
                        .tally = services[i].tally,
                        .only = dice.once_in(10) ? NodeIx(dice.roll(index.size())) : kNoNode,
                        .refusals = refusals};
    auto const expected = choose_by_scan(index, search);
    auto const chosen = index.choose(search);
    ASSERT_EQ(chosen, expected) << "step " << step;
    if (!chosen) continue;
    ++found;
    bool const is_starting = dice.once_in(2);
    index.add(*chosen, services[i].request, is_starting);
    services[i].tally.add(*chosen);
    placed.push_back({i, services[i].request, *chosen, is_starting});
  }
  if (index.size() > 20) EXPECT_GT(found, 20);
}

class IndexTest : public testing::Test {
 protected:
  IndexTest() {
    for (std::size_t i = 0; i < 4; ++i) index_.set_node(NodeIx(i), worker(i), up());
  }
  std::optional<NodeIx> choose(model::Strategy strategy = model::Strategy::Mix) {
    model::ServiceSpec spec;
    spec.placement.strategy = strategy;
    auto const request = request_of(spec);
    Tally const nothing;
    return index_.choose({.service = {1, 1}, .request = request, .tally = nothing, .refusals = {}});
  }
  void place(NodeIx node, double cpus, bool is_starting = false) { index_.add(node, demand(cpus), is_starting); }
  static Request demand(double cpus) {
    model::ServiceSpec spec;
    spec.resources.reservations.cpus = cpus;
    return request_of(spec);
  }
  void measure(NodeIx node, double cpus, std::int64_t gib, double load) {
    index_.set_measured(node, Measured{{std::llround(cpus * 1e6), gib * kGiB}, std::llround(load * 1e6)});
  }

  Index index_;
};

TEST_F(IndexTest, prefers_by_strategy_what_was_measured) {
  measure(NodeIx(0), 1, 9, 8);
  measure(NodeIx(1), 5, 1, 7);
  measure(NodeIx(2), 4, 8, 0.5);
  measure(NodeIx(3), 2, 2, 2);
  EXPECT_EQ(choose(model::Strategy::Cpu), NodeIx(0));
  EXPECT_EQ(choose(model::Strategy::Memory), NodeIx(1));
  EXPECT_EQ(choose(model::Strategy::Load), NodeIx(2));
  EXPECT_EQ(choose(model::Strategy::Mix), NodeIx(3));
}

TEST_F(IndexTest, takes_a_node_that_waits_for_memory_for_full) {
  for (std::size_t i = 0; i < 4; ++i) measure(NodeIx(i), 1, i == 2 ? 1 : 4, 1);
  EXPECT_EQ(choose(), NodeIx(2));
  index_.set_measured(NodeIx(2), Measured{.used = {1'000'000, kGiB}, .load = 1'000'000, .memory_pressure = 0.9});
  EXPECT_NE(choose(), NodeIx(2));
  EXPECT_NE(choose(model::Strategy::Memory), NodeIx(2));
}

TEST_F(IndexTest, spreads_by_instances_and_packs_by_what_is_promised) {
  place(NodeIx(0), 4);
  place(NodeIx(1), 0.1), place(NodeIx(1), 0.1);
  place(NodeIx(2), 0.1), place(NodeIx(2), 0.1), place(NodeIx(2), 0.1);
  EXPECT_EQ(choose(model::Strategy::Spread), NodeIx(3));
  EXPECT_EQ(choose(model::Strategy::Binpack), NodeIx(0));
  measure(NodeIx(3), 7, 15, 9);  // busy with other things
  EXPECT_EQ(choose(model::Strategy::Binpack), NodeIx(0));
}

// The load of a node is a second old at best, and an instance that is pulled for a minute shows in none of its measurements.
TEST_F(IndexTest, discounts_what_was_placed_until_a_measurement_has_it) {
  for (std::size_t i = 0; i < 4; ++i) measure(NodeIx(i), i == 0 ? 1 : 2, 2, 1);
  ASSERT_EQ(choose(), NodeIx(0));
  place(NodeIx(0), 2, true);
  EXPECT_NE(choose(), NodeIx(0));
  measure(NodeIx(0), 1, 2, 1);
  EXPECT_NE(choose(), NodeIx(0)) << "it does not run yet";
  index_.on_running(NodeIx(0), demand(2));
  EXPECT_NE(choose(), NodeIx(0)) << "it was not measured yet";
  measure(NodeIx(0), 1.5, 2, 1);
  EXPECT_EQ(choose(), NodeIx(0)) << "it runs, and this is what it uses";
  index_.remove(NodeIx(0), demand(2), false);
  EXPECT_EQ(index_.room(NodeIx(0)).starting, Amount());
}

TEST_F(IndexTest, does_not_pile_a_thousand_on_one_node_between_two_measurements) {
  for (std::size_t i = 0; i < 4; ++i) measure(NodeIx(i), i == 0 ? 0.1 : 1, 1, 1);
  for (int i = 0; i < 1000; ++i) index_.add(*choose(), request_of({}), true);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(index_.room(NodeIx(i)).instances, 250, 15);
}

TEST_F(IndexTest, forgets_a_service_that_had_a_ranking_of_its_own) {
  for (std::size_t i = 4; i < 40; ++i) index_.set_node(NodeIx(i), worker(i), up());
  Request const request;
  Tally tally;
  for (std::size_t i = 0; i < 40; ++i) {
    auto const node = index_.choose({.service = {1, 1}, .request = request, .tally = tally, .refusals = {}});
    ASSERT_TRUE(node);
    EXPECT_EQ(tally.at(*node), 0) << "each node gets one before any gets two";
    index_.add(*node, request, true);
    tally.add(*node);
  }
  auto const before = index_.rankings();
  index_.forget({1, 1});
  EXPECT_EQ(index_.rankings(), before - 1);
}

TEST_F(IndexTest, leaves_none_of_a_set_that_nothing_is_in) {
  model::ServiceSpec spec;
  spec.placement.constraints = {"node.labels.disk==ssd"};
  auto const request = request_of(spec);
  Tally const nothing;
  Search const search{.service = {1, 1}, .request = request, .tally = nothing, .refusals = {}};
  EXPECT_EQ(index_.choose(search), std::nullopt);
  auto labelled = worker(2);
  labelled.labels["disk"] = "ssd";
  index_.set_node(NodeIx(2), labelled, up());
  EXPECT_EQ(index_.choose(search), NodeIx(2));
  auto condition = up();
  condition.availability = model::Availability::Pause;
  index_.set_node(NodeIx(2), labelled, condition);
  EXPECT_EQ(index_.choose(search), std::nullopt);
}

}  // namespace
}  // namespace davit::placement
