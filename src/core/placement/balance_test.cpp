#include "core/placement/balance.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include <fmt/core.h>

namespace davit::placement {
namespace {

constexpr std::int64_t kGiB = std::int64_t{1} << 30;

// Nodes with 10 cores and 10 GiB, and what is on them.
class BalanceTest : public testing::Test {
 protected:
  struct Service {
    ServiceUid uid;
    Request request;
    Tally tally;
    std::map<std::uint32_t, std::pair<InstanceId, NodeIx>> slots;
  };

  void add_nodes(std::size_t count, std::map<std::string, std::string> const& labels = {}) {
    for (std::size_t i = 0; i < count; ++i) {
      auto const node = index.size();
      index.set_node(NodeIx(node), {.id = {node + 1}, .name = fmt::format("n{}", node), .roles = {model::Role::Worker}, .labels = labels},
                     {.is_member = true,
                      .status = model::NodeStatus::Up,
                      .engine_up = true,
                      .has_answered = true,
                      .capacity = {10'000'000, 10 * kGiB}});
    }
  }
  // One instance of each slot, of so many cores and GiB.
  Service& add_service(std::int64_t size, std::vector<int> const& nodes, model::ServiceSpec spec = {}) {
    spec.resources.reservations.cpus = static_cast<double>(size);
    spec.resources.reservations.memory = Bytes{size * kGiB};
    auto& service = services.emplace_back(Service{{1, static_cast<std::int64_t>(services.size() + 1)}, request_of(spec), {}, {}});
    for (auto const node : nodes) put(service, static_cast<std::uint32_t>(service.slots.size() + 1), NodeIx(node));
    return service;
  }
  void put(Service& service, std::uint32_t slot, NodeIx node) {
    service.slots[slot] = {{++last_id_}, node};
    service.tally.add(node);
    index.add(node, service.request, false);
  }
  std::vector<Resident> residents_of(NodeIx node) const {
    std::vector<Resident> all;
    for (auto const& service : services) {
      for (auto const& [slot, at] : service.slots) {
        if (at.second == node) all.push_back({service.uid, slot, at.first, &service.request, &service.tally});
      }
    }
    return all;
  }
  std::vector<Relocation> moves(std::size_t most = 100) {
    return balance(index, [this](NodeIx node) { return residents_of(node); }, most);
  }
  void carry_out(std::vector<Relocation> const& all) {
    for (auto const& [what, from, to] : all) {
      auto& service = services[static_cast<std::size_t>(what.service.revision - 1)];
      service.tally.remove(from);
      index.remove(from, service.request, false);
      put(service, what.slot, to);
    }
  }
  std::vector<std::uint32_t> counts() const {
    std::vector<std::uint32_t> all;
    for (std::size_t i = 0; i < index.size(); ++i) all.push_back(index.room(NodeIx(i)).instances);
    return all;
  }

  Index index;
  std::vector<Service> services;

 private:
  std::uint64_t last_id_ = 0;
};

using Counts = std::vector<std::uint32_t>;

TEST_F(BalanceTest, moves_to_a_node_that_has_joined_until_all_carry_alike) {
  add_nodes(3);
  for (int i = 0; i < 4; ++i) add_service(1, {0, 1, 2});
  add_nodes(1);
  carry_out(moves());
  EXPECT_EQ(counts(), (Counts{3, 3, 3, 3}));
}

TEST_F(BalanceTest, leaves_what_no_move_makes_better) {
  add_nodes(2);
  add_service(1, {0, 1, 0});
  EXPECT_TRUE(moves().empty());
}

TEST_F(BalanceTest, keeps_to_the_budget) {
  add_nodes(2);
  for (int i = 0; i < 6; ++i) add_service(1, {0});
  EXPECT_EQ(moves(2).size(), 2U);
  carry_out(moves(2));
  EXPECT_EQ(counts(), (Counts{4, 2}));
}

TEST_F(BalanceTest, never_takes_a_move_back) {
  add_nodes(4);
  add_service(3, {0, 0, 1});
  add_service(2, {0, 1, 1, 2});
  add_service(1, {0, 0, 0, 1, 2, 3});
  carry_out(moves());
  EXPECT_TRUE(moves().empty());
}

TEST_F(BalanceTest, spreads_a_service_rather_than_crowding_it) {
  add_nodes(2);
  add_service(1, {0, 0, 0, 1});
  add_service(1, {0});
  auto const all = moves();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all.front().what.service, services[0].uid);
}

TEST_F(BalanceTest, moves_nowhere_where_a_constraint_or_lack_of_room_forbids_it) {
  add_nodes(1, {{"disk", "ssd"}});
  add_nodes(1);
  model::ServiceSpec bound;
  bound.placement.constraints = {"node.labels.disk==ssd"};
  add_service(2, {0}, bound);
  add_service(2, {0}, bound);
  EXPECT_TRUE(moves().empty());
  add_nodes(1, {{"disk", "ssd"}});
  EXPECT_EQ(moves().size(), 1U);
}

TEST_F(BalanceTest, keeps_services_spread_over_their_label) {
  add_nodes(1, {{"zone", "a"}});
  add_nodes(1, {{"zone", "b"}});
  model::ServiceSpec spread;
  spread.placement.spread_by = "zone";
  add_service(1, {0, 1}, spread);
  add_service(1, {0, 1}, spread);
  add_nodes(1, {{"zone", "b"}});
  auto const all = moves();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all.front().from, NodeIx(1));
}

}  // namespace
}  // namespace davit::placement
