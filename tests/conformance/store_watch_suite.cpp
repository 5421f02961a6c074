// What every ports::Store must do for those who watch it.
#include <gmock/gmock.h>

#include "conformance/store_suite.hpp"

namespace davit::conformance {
namespace {

using testing::ElementsAre;

std::string line(std::int64_t revision, std::string const& change) { return std::to_string(revision) + " " + change; }

TEST_P(StoreWatchSuite, delivers_changes_under_the_prefix_and_no_others) {
  auto const start = client.revision();
  WatchRecord const record(*harness, "a/", start + 1);
  ASSERT_TRUE(client.write({put("a/1", "x"), put("b", "x")}).has_value());
  ASSERT_TRUE(client.write({put("b", "y")}).has_value());
  ASSERT_TRUE(client.write({erase("a/1"), erase("a/absent"), put("a/2", "z")}).has_value());
  client.revision();
  EXPECT_THAT(record.lines(), ElementsAre(line(start + 1, "a/1=x"), line(start + 3, "-a/1"), line(start + 3, "a/2=z")));
  EXPECT_THAT(record.revisions(), ElementsAre(start + 1, start + 3));
}

TEST_P(StoreWatchSuite, delivers_the_past_and_then_the_present) {
  auto const start = client.revision();
  for (auto const* value : {"1", "2", "3"}) ASSERT_TRUE(client.write({put("a", value)}).has_value());
  WatchRecord const record(*harness, "", start + 2);
  ASSERT_TRUE(client.write({erase("a")}).has_value());
  client.revision();
  EXPECT_THAT(record.lines(), ElementsAre(line(start + 2, "a=2"), line(start + 3, "a=3"), line(start + 4, "-a")));
}

TEST_P(StoreWatchSuite, begins_with_the_next_change_when_no_revision_is_named) {
  ASSERT_TRUE(client.write({put("a", "1")}).has_value());
  WatchRecord const record(*harness, "", 0);
  auto const revision = client.write({put("a", "2")})->revision;
  client.revision();
  EXPECT_THAT(record.lines(), ElementsAre(line(revision, "a=2")));
}

TEST_P(StoreWatchSuite, waits_for_a_revision_in_the_future) {
  auto const start = client.revision();
  WatchRecord const record(*harness, "", start + 3);
  for (auto const* value : {"1", "2", "3"}) ASSERT_TRUE(client.write({put("a", value)}).has_value());
  client.revision();
  EXPECT_THAT(record.lines(), ElementsAre(line(start + 3, "a=3")));
}

TEST_P(StoreWatchSuite, has_no_gap_and_no_double_wherever_it_begins_among_commits_in_flight) {
  auto const start = client.revision();
  std::vector<std::unique_ptr<WatchRecord>> records;
  int answered = 0;
  for (int i = 0; i < 200; ++i) {
    if (i % 20 == 0) records.push_back(std::make_unique<WatchRecord>(*harness, "", start + 1 + i / 2));
    harness->store().commit({.compares = {}, .operations = {put("a", std::to_string(i)), put("b", "")}}, client.deadline(),
                            [&](auto answer) { answered += answer.has_value(); });
  }
  ASSERT_TRUE(harness->run_until([&] { return answered == 200; }));
  client.revision();
  for (std::size_t i = 0; i < records.size(); ++i) {
    auto const from = start + 1 + static_cast<std::int64_t>(i) * 10;
    auto const& revisions = records[i]->revisions();
    ASSERT_EQ(revisions.size(), static_cast<std::size_t>(start + 201 - from));
    for (std::size_t n = 0; n < revisions.size(); ++n) EXPECT_EQ(revisions[n], from + static_cast<std::int64_t>(n));
    EXPECT_EQ(records[i]->lines().size(), 2 * revisions.size());
  }
}

TEST_P(StoreWatchSuite, says_compacted_once_to_who_asks_for_what_is_gone) {
  auto const start = client.revision();
  for (auto const* value : {"1", "2", "3"}) ASSERT_TRUE(client.write({put("a", value)}).has_value());
  ASSERT_TRUE(client.compact(start + 3).has_value());
  WatchRecord const lost(*harness, "", start + 1);
  WatchRecord const kept(*harness, "", start + 3);
  ASSERT_TRUE(client.write({put("a", "4")}).has_value());
  client.revision();
  EXPECT_THAT(lost.lines(), ElementsAre("compacted"));
  EXPECT_THAT(kept.lines(), ElementsAre(line(start + 3, "a=3"), line(start + 4, "a=4")));
}

TEST_P(StoreWatchSuite, shows_the_keys_that_go_with_a_lease) {
  auto const lease = client.grant_lease(60s)->lease;
  WatchRecord const record(*harness, "", 0);
  auto const revision = client.write({put("x", "1", lease), put("y", "1", lease)})->revision;
  ASSERT_TRUE(client.revoke_lease(lease).has_value());
  client.revision();
  EXPECT_THAT(record.lines(),
              ElementsAre(line(revision, "x=1"), line(revision, "y=1"), line(revision + 1, "-x"), line(revision + 1, "-y")));
}

TEST_P(StoreWatchSuite, is_silent_once_ended) {
  WatchRecord record(*harness, "", 0);
  int answered = 0;
  for (int i = 0; i < 10; ++i)
    harness->store().commit({.compares = {}, .operations = {put("a", "1")}}, client.deadline(), [&](auto) { ++answered; });
  record.end();
  ASSERT_TRUE(harness->run_until([&] { return answered == 10; }));
  client.revision();
  EXPECT_TRUE(record.lines().empty());
}

TEST_P(StoreWatchSuite, may_be_ended_by_its_own_batch) {
  std::unique_ptr<ports::Watch> watch;
  int batches = 0;
  watch = harness->store().watch("", 0, [&](auto const&) {
    ++batches;
    watch.reset();
  });
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(client.write({put("a", "1")}).has_value());
  client.revision();
  EXPECT_EQ(batches, 1);
}

}  // namespace
}  // namespace davit::conformance
