#include "core/placement/explain.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace davit::placement {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kGiB = std::int64_t{1} << 30;

// The cluster of the example in the description of `davit service explain`.
class ExplainTest : public testing::Test {
 protected:
  ExplainTest() {
    add(0, "ssd");
    add(1, "hdd");
    add(2, "ssd", model::Availability::Drain);
    spec_.resources.reservations.memory = {4 * kGiB};
    spec_.placement.constraints = {"node.labels.disk==ssd"};
    model::ServiceSpec other;
    other.resources.reservations.memory = {std::int64_t{2867} << 20};
    index_.add(NodeIx(0), request_of(other), false);
  }
  void add(std::size_t i, std::string disk, model::Availability availability = model::Availability::Active) {
    index_.set_node(NodeIx(i),
                    {.id = {i + 1},
                     .name = "n" + std::to_string(i + 1),
                     .roles = {model::Role::Worker},
                     .labels = {{"disk", std::move(disk)}},
                     .platform = "linux/amd64"},
                    {.is_member = true,
                     .status = model::NodeStatus::Up,
                     .availability = availability,
                     .engine_up = true,
                     .has_answered = true,
                     .capacity = {2'000'000, 4 * kGiB}});
  }
  Search search() {
    request_ = request_of(spec_);
    return {.service = {1, 1}, .request = request_, .tally = tally_, .refusals = {}};
  }

  Index index_;
  model::ServiceSpec spec_;
  Request request_;
  Tally tally_;
};

TEST_F(ExplainTest, says_of_each_node_what_keeps_the_instance_off) {
  auto const verdicts = judge(index_, search());
  ASSERT_EQ(verdicts.size(), 3);
  EXPECT_EQ(verdicts[0].filter, Filter::Memory);
  EXPECT_EQ(verdicts[0].detail, "wants 4 GiB, 1.2 GiB unreserved");
  EXPECT_EQ(verdicts[1].filter, Filter::Constraint);
  EXPECT_EQ(verdicts[1].detail, "node.labels.disk==ssd, is hdd");
  EXPECT_EQ(verdicts[2].filter, Filter::Availability);
  EXPECT_EQ(verdicts[2].detail, "drain");
  EXPECT_THAT(would_fit(index_, search()), ElementsAre("reservation 1.2g", "davit node activate n3"));
}

TEST_F(ExplainTest, counts_in_one_line) {
  EXPECT_EQ(shortfall(index_, search(), "db"),
            (Shortfall{model::Reason::NoNodeFits, "no node fits: 1 availability, 1 constraint, 1 memory; davit service explain db", true}));
}

TEST_F(ExplainTest, gives_the_nodes_reason_where_they_agree) {
  add(1, "hdd"), add(2, "ssd");
  spec_.resources.reservations = {4, {}};
  spec_.placement.constraints.clear();
  EXPECT_EQ(shortfall(index_, search(), "db"),
            (Shortfall{model::Reason::NotEnoughCpu, "no node fits: 3 cpu; davit service explain db", true}));
  EXPECT_THAT(would_fit(index_, search()), ElementsAre("reservation of 2 cores"));
}

TEST_F(ExplainTest, scores_what_fits_and_has_no_hint_then) {
  spec_ = {};
  add(2, "ssd");
  auto const verdicts = judge(index_, search());
  for (auto const& each : verdicts) EXPECT_FALSE(each.filter);
  EXPECT_GT(verdicts[1].score, verdicts[2].score);
  EXPECT_THAT(would_fit(index_, search()), IsEmpty());
}

TEST_F(ExplainTest, puts_the_node_first_that_would_be_chosen_and_says_why) {
  spec_ = {};
  add(2, "ssd");
  std::int64_t const used = 1 * kGiB;
  index_.set_measured(NodeIx(0), Measured{{1'900'000, used}, 3'000'000});
  index_.set_measured(NodeIx(1), Measured{{200'000, used}, 500'000});
  index_.set_measured(NodeIx(2), Measured{{100'000, used}, 500'000});
  tally_.add(NodeIx(2));
  auto const verdicts = judge(index_, search());
  ASSERT_EQ(verdicts.size(), 3);
  EXPECT_EQ(verdicts[0].node, index_.choose(search()));
  EXPECT_EQ(index_.traits(verdicts[0].node).name, "n2");
  EXPECT_EQ(verdicts[0].detail, "0 of it here; cpu 10%, memory 25%, load 25% of its cores");
  EXPECT_EQ(index_.traits(verdicts[1].node).name, "n1");
  EXPECT_EQ(verdicts[1].detail, "0 of it here; cpu 95%, memory 25%, load 150% of its cores");
  EXPECT_EQ(verdicts[2].detail, "1 of it here; cpu 5%, memory 25%, load 25% of its cores") << "free, but it has one already";
}

TEST_F(ExplainTest, counts_by_the_label_that_is_spread_over) {
  spec_ = {};
  spec_.placement.spread_by = "disk";
  spec_.placement.strategy = model::Strategy::Spread;
  add(2, "ssd");
  tally_.add(NodeIx(1));
  auto const verdicts = judge(index_, search());
  EXPECT_EQ(verdicts[0].node, index_.choose(search()));
  EXPECT_EQ(verdicts[0].detail, "0 in disk 'ssd', 0 of it here; 0 instances of all services");
  EXPECT_EQ(verdicts[2].detail, "1 in disk 'hdd', 1 of it here; 0 instances of all services");
}

TEST_F(ExplainTest, names_constraints_only_where_nothing_else_would_do) {
  spec_ = {};
  spec_.placement.constraints = {"node.labels.disk==nvme"};
  EXPECT_THAT(would_fit(index_, search()), ElementsAre("a node with node.labels.disk==nvme"));
  EXPECT_FALSE(shortfall(index_, search(), "db").lacks_room);
}

TEST_F(ExplainTest, speaks_of_no_node_that_is_gone_for_good) {
  for (std::size_t i = 0; i < 3; ++i) index_.set_node(NodeIx(i), index_.traits(NodeIx(i)), {});
  EXPECT_THAT(judge(index_, search()), IsEmpty());
  EXPECT_EQ(shortfall(index_, search(), "db").message, "no node fits: none has joined yet");
}

TEST_F(ExplainTest, proposes_what_fits) {
  struct Case {
    std::int64_t free;
    char const* text;
  };
  for (auto const& [free, text] : {Case{kGiB, "1g"}, {kGiB - 1, "1023m"}, {kGiB * 3 / 2, "1.5g"}, {2 * kGiB - 1, "1.9g"}}) {
    Index index;
    index.set_node(
        NodeIx(0), index_.traits(NodeIx(0)),
        {.is_member = true, .status = model::NodeStatus::Up, .engine_up = true, .has_answered = true, .capacity = {1'000'000, free}});
    EXPECT_THAT(would_fit(index, search()), ElementsAre(std::string("reservation ") + text));
    EXPECT_LE(parse_bytes(text)->count, free);
  }
}

}  // namespace
}  // namespace davit::placement
