// Slots that must not be doubled, as their owner keeps them (protocol.md §7).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "master/bench.hpp"

namespace davit::master {
namespace {

using model::InstanceState;
using testing::IsEmpty;
using testing::SizeIs;

constexpr NodeId kFirst{1};
constexpr NodeId kSecond{2};
constexpr auto kNodes = {NodeId{11}, NodeId{12}, NodeId{13}};
constexpr Duration kStopAfter = 15s;

class SlotsTest : public testing::Test {
 protected:
  SlotsTest() {
    for (auto const id : kNodes) bench_.add_node(id);
    bench_.start_master(kFirst);
    EXPECT_TRUE(bench_.until([&] { return bench_.master(kFirst).acts_for(shard_of("web")) && all_are_up(); }));
    bench_.pass(2s);
  }
  bool all_are_up() {
    return std::ranges::all_of(kNodes, [&](NodeId id) { return bench_.node(id).incarnation > 0 && bench_.node(id).grant.has_value(); });
  }

  static model::SpecRef spec(std::int64_t instances) {
    auto spec = std::make_shared<model::ServiceSpec>();
    spec->image = "a";
    spec->instances = instances;
    spec->on_isolation = model::OnIsolation::Stop;
    spec->stop_after = kStopAfter;
    return spec;
  }
  void create(std::int64_t instances = 1) {
    auto const reply = bench_.command(kFirst, {.service = "web", .body = model::Create{spec(instances)}});
    ASSERT_TRUE(reply && *reply);
  }

  std::optional<model::SlotRecord> record(std::uint32_t slot = 1) {
    auto const found = bench_.store().items().find(model::slot_key("web", slot));
    if (found == bench_.store().items().end()) return std::nullopt;
    return std::get<model::SlotRecord>(found->second.record);
  }
  std::size_t offers() {
    std::size_t all = 0;
    for (auto const id : kNodes) all += bench_.node(id).offers.size();
    return all;
  }
  static bool is_of_slot(Write const& write) {
    auto const is_slot = [](auto const& record) { return std::holds_alternative<model::SlotRecord>(record); };
    return std::ranges::any_of(write.puts, is_slot) ||
           std::ranges::any_of(write.erases, [](auto const& key) { return model::slot_of(key).has_value(); });
  }

  // What a node makes of its last offer.
  static model::InstanceReport running(model::RunInstance const& offer) {
    model::InstanceReport report{.id = offer.id, .uid = offer.uid, .service = offer.service, .slot = offer.slot};
    report.revision = offer.revision;
    report.token = offer.token;
    report.state = InstanceState::Running;
    report.ready = true;
    return report;
  }
  void admit(NodeId node) {
    auto const report = running(bench_.node(node).offers.back());
    bench_.say(node, model::Verdict{.id = report.id, .uid = report.uid, .slot = report.slot, .admitted = true, .message = {}});
    bench_.node(node).has = {report};
    bench_.say(node, model::InstanceChanged{report});
  }
  void give_back(NodeId node) {
    auto const& stop = bench_.node(node).stops.back();
    bench_.node(node).has.clear();
    bench_.say(node, model::InstanceGone{stop.id, stop.uid, stop.slot, stop.token});
  }
  // One instance that runs, on the node that is returned.
  NodeId run_one() {
    create();
    EXPECT_TRUE(bench_.until([&] { return offers() == 1; }));
    auto const node = record()->node;
    admit(node);
    return node;
  }
  bool is_down(NodeId node, NodeId master = kFirst) {
    auto const kept = bench_.master(master).view().nodes.find(node);
    return kept != bench_.master(master).view().nodes.end() && kept->second.record.status == model::NodeStatus::Down;
  }

  Bench bench_;
};

TEST_F(SlotsTest, records_a_slot_before_it_offers_it) {
  bench_.holds_back = is_of_slot;
  create();
  ASSERT_TRUE(bench_.until([&] { return bench_.held_back() == 1; }));
  bench_.pass(1s);
  EXPECT_EQ(offers(), 0);
  EXPECT_EQ(bench_.held_back(), 1) << "one write for one slot";

  bench_.blind = kFirst;
  bench_.release();
  bench_.pass(500ms);
  EXPECT_TRUE(record());
  EXPECT_EQ(offers(), 0) << "its view does not show the record yet";

  bench_.blind.reset();
  ASSERT_TRUE(bench_.until([&] { return offers() == 1; }, 1s));
  auto const& offer = bench_.node(record()->node).offers.front();
  EXPECT_EQ(offer.id, record()->instance);
  EXPECT_EQ(offer.token, record()->token);
  EXPECT_EQ(offer.incarnation, record()->incarnation);
  EXPECT_EQ(offer.stop_after, kStopAfter);
}

TEST_F(SlotsTest, compares_the_shard_and_the_slot) {
  std::vector<Compare> compares;
  bench_.holds_back = [&](Write const& write) {
    if (is_of_slot(write)) compares = write.compares;
    return is_of_slot(write);
  };
  create();
  ASSERT_TRUE(bench_.until([&] { return bench_.held_back() == 1; }));
  auto const shard = model::shard_key(shard_of("web"));
  auto const granted = bench_.store().items().at(shard).mod_revision;
  EXPECT_THAT(compares, testing::UnorderedElementsAre(Compare{shard, Compare::Target::ModRevision, granted},
                                                      Compare{model::slot_key("web", 1), Compare::Target::ModRevision, 0}));
}

TEST_F(SlotsTest, claims_anew_when_its_claim_was_refused) {
  bench_.holds_back = is_of_slot;
  create();
  ASSERT_TRUE(bench_.until([&] { return bench_.held_back() == 1; }));
  // Another hand has written the slot meanwhile, and erased it again.
  bench_.store().commit({.puts = {model::SlotRecord{.service = "web", .slot = 1, .instance = {5}, .node = {11}, .token = 1}}});
  bench_.release();
  bench_.store().commit({.erases = {model::slot_key("web", 1)}});
  EXPECT_EQ(offers(), 0);
  bench_.holds_back = [](Write const&) { return false; };
  ASSERT_TRUE(bench_.until([&] { return offers() == 1; }));
  EXPECT_EQ(bench_.node(record()->node).offers.front().token, record()->token);
}

TEST_F(SlotsTest, claims_nothing_while_an_old_claim_stands_that_came_through_once_more) {
  auto const node = run_one();
  auto const before = *record();
  std::size_t claims = 0;
  bench_.holds_back = [&](Write const& write) {
    bool const is_claim = is_of_slot(write) && !write.puts.empty();
    if (is_claim) ++claims;
    return is_claim;
  };
  bench_.node(node).has.clear();
  bench_.say(node, model::InstanceGone{before.instance, bench_.node(node).offers.front().uid, 1, before.token});
  ASSERT_TRUE(bench_.until([&] { return claims == 1; }));
  bench_.store().commit({.puts = {before}});
  bench_.release();
  bench_.pass(20s);
  EXPECT_EQ(claims, 1U);
  EXPECT_EQ(record(), before);
  ASSERT_FALSE(bench_.node(node).stops.empty()) << "its agent is asked to refuse it once more";
  bench_.holds_back = [](Write const&) { return false; };
  give_back(node);
  ASSERT_TRUE(bench_.until([&] { return record() && record()->token > before.token; }, 5s));
  EXPECT_TRUE(bench_.until([&] { return offers() == 2; }, 5s));
}

TEST_F(SlotsTest, tells_the_token_in_what_it_says_later) {
  auto const node = run_one();
  ASSERT_TRUE(bench_.until([&] { return bench_.master(kFirst).pending().empty(); }));
  ASSERT_TRUE(*bench_.command(kFirst, {.service = "web", .body = model::Remove{}}));
  ASSERT_TRUE(bench_.until([&] { return bench_.node(node).stops.size() == 1; }));
  EXPECT_EQ(bench_.node(node).stops.front().token, record()->token);
}

TEST_F(SlotsTest, gives_a_refused_offer_to_another_only_when_the_first_has_given_it_back) {
  create();
  ASSERT_TRUE(bench_.until([&] { return offers() == 1; }));
  auto const first = *record();
  auto const& offer = bench_.node(first.node).offers.front();
  auto const reason = model::Reason::HostPortInUse;
  bench_.say(first.node, model::Verdict{.id = offer.id, .uid = offer.uid, .slot = offer.slot, .reason = reason, .message = "port 80"});
  ASSERT_TRUE(bench_.until([&] { return bench_.node(first.node).stops.size() == 1; }, 1s));
  EXPECT_EQ(bench_.node(first.node).stops.front().token, first.token);
  bench_.pass(20s);
  EXPECT_EQ(record(), first);
  EXPECT_EQ(offers(), 1);
  EXPECT_GE(bench_.node(first.node).stops.size(), 3U) << "it is asked again";
  EXPECT_EQ(bench_.master(kFirst).find_service("web")->instances.front().reason, reason);

  give_back(first.node);
  ASSERT_TRUE(bench_.until([&] { return record() && record()->token > first.token; }, 5s));
  ASSERT_TRUE(bench_.until([&] { return offers() == 2; }, 5s));
}

TEST_F(SlotsTest, is_not_misled_by_what_was_given_back_earlier) {
  auto const node = run_one();
  auto const before = *record();
  bench_.say(node, model::InstanceGone{before.instance, bench_.node(node).offers.front().uid, 1, before.token - 1});
  bench_.pass(5s);
  EXPECT_EQ(record(), before);
  EXPECT_EQ(offers(), 1);
  EXPECT_EQ(bench_.master(kFirst).find_service("web")->instances.front().state, InstanceState::Running);
}

TEST_F(SlotsTest, frees_a_slot_that_its_agent_gave_back_by_itself) {
  auto const node = run_one();
  auto const before = *record();
  bench_.node(node).has.clear();
  bench_.say(node, model::InstanceGone{before.instance, bench_.node(node).offers.front().uid, 1, before.token});
  ASSERT_TRUE(bench_.until([&] { return record() && record()->token > before.token; }, 5s));
}

TEST_F(SlotsTest, leaves_no_record_behind_a_removal) {
  create(3);
  ASSERT_TRUE(bench_.until([&] { return offers() == 3; }));
  for (auto const id : kNodes) admit(id);
  ASSERT_TRUE(*bench_.command(kFirst, {.service = "web", .body = model::Remove{}}));
  ASSERT_TRUE(bench_.until([&] { return bench_.node(NodeId{13}).stops.size() == 1; }));
  give_back(NodeId{11});
  give_back(NodeId{12});
  bench_.pass(40s);
  EXPECT_TRUE(bench_.store().items().contains(model::head_key("web"))) << "one has not gone yet";
  give_back(NodeId{13});
  ASSERT_TRUE(bench_.until([&] { return !bench_.store().items().contains(model::head_key("web")); }));
  for (auto const& [key, item] : bench_.store().items()) EXPECT_FALSE(model::slot_of(key)) << key;
}

TEST_F(SlotsTest, takes_a_claim_back_that_was_never_offered) {
  bench_.holds_back = is_of_slot;
  create();
  ASSERT_TRUE(bench_.until([&] { return bench_.held_back() == 1; }));
  ASSERT_TRUE(*bench_.command(kFirst, {.service = "web", .body = model::Remove{}}));
  bench_.pass(1s);
  EXPECT_TRUE(bench_.store().items().contains(model::head_key("web")));
  bench_.holds_back = [](Write const&) { return false; };
  bench_.release();
  ASSERT_TRUE(record());
  give_back(record()->node);
  ASSERT_TRUE(bench_.until([&] { return !bench_.store().items().contains(model::head_key("web")); }));
  EXPECT_FALSE(record());
  EXPECT_EQ(offers(), 0);
}

// ---- another owner

TEST_F(SlotsTest, waits_as_the_next_owner_for_an_offer_that_nobody_has_answered) {
  bench_.start_master(kSecond);
  create();
  ASSERT_TRUE(bench_.until([&] { return offers() == 1; }));
  auto const first = *record();
  bench_.node(first.node).answers_fences = false;
  bench_.kill_master(kFirst);
  ASSERT_TRUE(bench_.until([&] { return bench_.master(kSecond).acts_for(shard_of("web")); }));
  bench_.pass(40s);
  EXPECT_EQ(record(), first) << "the three seconds of other services' slots do not count";
  EXPECT_EQ(offers(), 1);
  ASSERT_THAT(bench_.master(kSecond).find_service("web")->instances, SizeIs(1)) << "it counts as an instance";

  bench_.node(first.node).answers_fences = true;
  ASSERT_TRUE(bench_.until([&] { return bench_.node(first.node).stops.size() == 1; })) << "it is not listed: asked back";
  EXPECT_EQ(bench_.node(first.node).stops.front().token, first.token);
  bench_.pass(5s);
  EXPECT_EQ(record(), first);
  give_back(first.node);
  ASSERT_TRUE(bench_.until([&] { return record() && record()->token > first.token; }));
  ASSERT_TRUE(bench_.until([&] { return offers() == 2; }));
}

TEST_F(SlotsTest, asks_back_as_the_next_owner_what_a_node_does_not_list) {
  bench_.start_master(kSecond);
  create();
  ASSERT_TRUE(bench_.until([&] { return offers() == 1; }));
  auto const first = *record();
  // During a rollout it plans only when all have answered: the record is found after the answer.
  ASSERT_TRUE(*bench_.command(kFirst, {.service = "web", .body = model::Restart{}}));
  bench_.kill_master(kFirst);
  bench_.node(first.node).stops.clear();
  ASSERT_TRUE(bench_.until([&] { return bench_.master(kSecond).acts_for(shard_of("web")); }));
  ASSERT_TRUE(bench_.until([&] { return !bench_.node(first.node).stops.empty(); }, 5s));
  EXPECT_EQ(bench_.node(first.node).stops.back().token, first.token);
  EXPECT_EQ(record(), first);
}

TEST_F(SlotsTest, scales_up_as_the_next_owner_without_hearing_everybody) {
  bench_.start_master(kSecond);
  auto const node = run_one();
  auto const other = node == NodeId{11} ? NodeId{12} : NodeId{11};
  bench_.node(other).answers_fences = false;
  bench_.kill_master(kFirst);
  bench_.cut(other);
  bench_.heal(other);
  ASSERT_TRUE(bench_.until([&] { return bench_.master(kSecond).acts_for(shard_of("web")); }));
  ASSERT_TRUE(*bench_.command(kSecond, {.service = "web", .body = model::Replace{spec(2)}}));
  ASSERT_TRUE(bench_.until([&] { return record(2).has_value(); }, 5s)) << "no record says that it runs anywhere";
  EXPECT_NE(record(2)->node, other);
}

TEST_F(SlotsTest, goes_on_as_the_next_owner_with_what_runs) {
  bench_.start_master(kSecond);
  auto const node = run_one();
  auto const before = *record();
  bench_.kill_master(kFirst);
  ASSERT_TRUE(bench_.until([&] { return bench_.node(node).offers.size() == 2; })) << "it is confirmed";
  EXPECT_EQ(bench_.node(node).offers.back().token, before.token);
  EXPECT_EQ(bench_.node(node).offers.back().id, before.instance);
  bench_.pass(30s);
  EXPECT_EQ(record(), before);
  EXPECT_THAT(bench_.node(node).stops, IsEmpty());
  EXPECT_EQ(offers(), 2);
}

TEST_F(SlotsTest, stops_what_has_no_right_to_its_slot) {
  auto const node = run_one();
  auto const other = node == NodeId{11} ? NodeId{12} : NodeId{11};
  auto stray = running(bench_.node(node).offers.front());
  stray.id = {99};
  --stray.token;
  bench_.say(other, model::InstanceChanged{stray});
  ASSERT_TRUE(bench_.until([&] { return bench_.node(other).stops.size() == 1; }, 1s));
  EXPECT_EQ(bench_.node(other).stops.front().token, stray.token);
  give_back(other);
  bench_.pass(5s);
  EXPECT_TRUE(record());
  EXPECT_THAT(bench_.node(node).stops, IsEmpty());
}

// ---- nodes that go down

TEST_F(SlotsTest, waits_for_the_end_of_the_lease_on_a_node_that_is_down) {
  auto const node = run_one();
  auto const before = *record();
  bench_.cut(node);
  ASSERT_TRUE(bench_.until([&] { return is_down(node); }));
  auto const down_at = bench_.now();
  ASSERT_TRUE(bench_.until([&] { return record() != before; }));
  EXPECT_GE(bench_.now() - down_at, kStopAfter + 5s);
  EXPECT_LE(bench_.now() - down_at, kStopAfter + 7s);
  ASSERT_TRUE(bench_.until([&] { return record() && record()->token > before.token; }));
  EXPECT_NE(record()->node, node);
}

TEST_F(SlotsTest, ends_the_wait_when_the_node_is_back_with_its_instance) {
  auto const node = run_one();
  auto const before = *record();
  bench_.cut(node);
  ASSERT_TRUE(bench_.until([&] { return is_down(node); }));
  bench_.pass(10s);
  bench_.heal(node);
  bench_.holds_back = is_of_slot;
  ASSERT_TRUE(bench_.until([&] { return bench_.held_back() == 1; }));
  bench_.pass(6s);
  EXPECT_EQ(offers(), 1) << "it is confirmed once the record is of its present life";
  bench_.holds_back = [](Write const&) { return false; };
  bench_.release();
  ASSERT_TRUE(bench_.until([&] { return bench_.node(node).offers.size() == 2; }));
  EXPECT_EQ(record()->instance, before.instance);
  EXPECT_EQ(record()->token, before.token);
  EXPECT_EQ(record()->incarnation, before.incarnation + 1);
  EXPECT_EQ(bench_.node(node).offers.back().incarnation, before.incarnation + 1);
  bench_.pass(1min);
  EXPECT_THAT(bench_.node(node).stops, IsEmpty());
  EXPECT_EQ(offers(), 2);
}

TEST_F(SlotsTest, asks_back_what_a_node_has_not_brought_back) {
  auto const node = run_one();
  auto const before = *record();
  bench_.cut(node);
  ASSERT_TRUE(bench_.until([&] { return is_down(node); }));
  bench_.node(node).has.clear();
  bench_.heal(node);
  ASSERT_TRUE(bench_.until([&] { return bench_.node(node).stops.size() == 1; }));
  bench_.pass(1min);
  EXPECT_EQ(record(), before) << "only the agent's word frees it now";
  give_back(node);
  ASSERT_TRUE(bench_.until([&] { return record() && record()->token > before.token; }));
}

TEST_F(SlotsTest, does_not_free_a_slot_whose_node_comes_back_at_that_moment) {
  auto const node = run_one();
  auto const before = *record();
  bench_.cut(node);
  bench_.holds_back = is_of_slot;
  ASSERT_TRUE(bench_.until([&] { return bench_.held_back() == 1; }));
  bench_.heal(node);
  ASSERT_TRUE(bench_.until([&] { return !is_down(node); }));
  bench_.holds_back = [](Write const&) { return false; };
  bench_.release();
  ASSERT_TRUE(record());
  EXPECT_EQ(record()->token, before.token);
  ASSERT_TRUE(bench_.until([&] { return bench_.node(node).offers.size() == 2; })) << "it goes on there";
}

TEST_F(SlotsTest, counts_the_wait_of_another_owner_from_when_it_saw_the_node_go_itself) {
  bench_.start_master(kSecond);
  auto const node = run_one();
  auto const before = *record();
  bench_.cut(node);
  ASSERT_TRUE(bench_.until([&] { return is_down(node, kSecond); }));
  auto const down_at = bench_.now();
  bench_.kill_master(kFirst);
  ASSERT_TRUE(bench_.until([&] { return record() && record()->token > before.token; }));
  EXPECT_GE(bench_.now() - down_at, kStopAfter + 5s);
  EXPECT_LE(bench_.now() - down_at, kStopAfter + 9s);
}

TEST_F(SlotsTest, counts_the_wait_of_another_owner_anew_after_a_return_that_it_has_not_seen) {
  bench_.start_master(kSecond);
  auto const node = run_one();
  auto const first = *record();
  bench_.cut(node);
  ASSERT_TRUE(bench_.until([&] { return is_down(node, kSecond); }));

  bench_.blind = kSecond;
  bench_.heal(node);
  ASSERT_TRUE(bench_.until([&] { return record() && record()->incarnation > first.incarnation; })) << "it goes on there, with a lease";
  bench_.cut(node);
  ASSERT_TRUE(bench_.until([&] { return is_down(node); }));
  auto const before = *record();
  auto const down_at = bench_.now();

  bench_.kill_master(kFirst);
  bench_.end_watch(kSecond);
  bench_.blind.reset();
  ASSERT_TRUE(bench_.until([&] { return record() && record()->token > before.token; }));
  EXPECT_GE(bench_.now() - down_at, kStopAfter + 5s);
}

// ---- leases

TEST_F(SlotsTest, grants_the_agents_own_clock_to_the_present_life_of_its_node) {
  NodeId const node{11};
  ASSERT_TRUE(bench_.node(node).grant);
  EXPECT_LE(bench_.node(node).grant->agent_clock, bench_.now());
  EXPECT_GE(bench_.node(node).grant->agent_clock, bench_.now() - 1s);
  EXPECT_EQ(bench_.node(node).grant->incarnation, 1);
}

TEST_F(SlotsTest, grants_nothing_while_its_view_is_not_fresh) {
  bench_.store().commit({.puts = {model::ClusterRecord{.uid = {1}, .era = 1}}});
  bench_.blind = kFirst;
  bench_.store().commit({.puts = {model::ClusterRecord{.uid = {1}, .era = 1}}});
  bench_.pass(4s);
  for (auto const id : kNodes) EXPECT_FALSE(bench_.node(id).grant);
}

TEST_F(SlotsTest, grants_nothing_to_a_node_that_is_down) {
  NodeId const node{11};
  bench_.cut(node);
  ASSERT_TRUE(bench_.until([&] { return is_down(node); }));
  bench_.holds_back = [](Write const& write) {
    return std::ranges::any_of(write.puts, [](auto const& record) { return std::holds_alternative<model::NodeRecord>(record); });
  };
  bench_.node(node).grant.reset();
  bench_.heal(node);
  bench_.pass(3s);
  EXPECT_FALSE(bench_.node(node).grant);
  bench_.holds_back = [](Write const&) { return false; };
  bench_.release();
  ASSERT_TRUE(bench_.until([&] { return bench_.node(node).grant.has_value(); }));
  EXPECT_EQ(bench_.node(node).grant->incarnation, 2);
}

TEST_F(SlotsTest, gives_a_higher_incarnation_to_a_node_that_was_taken_out_and_comes_back) {
  NodeId const node{11};
  bench_.cut(node);
  ASSERT_TRUE(bench_.until([&] { return is_down(node); }));
  bench_.store().commit({.erases = {model::node_key(node)}});
  bench_.pass(1s);
  bench_.heal(node);
  ASSERT_TRUE(bench_.until([&] { return bench_.master(kFirst).view().nodes.contains(node); }));
  EXPECT_EQ(bench_.master(kFirst).view().nodes.at(node).record.incarnation, 2);
}

}  // namespace
}  // namespace davit::master
