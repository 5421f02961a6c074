// What a store on this machine does beyond the suite: it does calls in the order in which they came. Over the network nobody promises that.
#include <gmock/gmock.h>

#include "conformance/store_suite.hpp"

namespace davit::conformance {
namespace {

using testing::ElementsAre;

std::string line(std::int64_t revision, std::string const& change) { return std::to_string(revision) + " " + change; }

TEST_P(StoreOrderSuite, judges_commits_in_flight_in_order_each_by_itself) {
  std::vector<std::pair<int, Result<ports::Committed>>> answers;
  auto const start = client.revision();
  for (int i = 0; i < 300; ++i) {
    // Every third expects a version that is not there; it must not disturb those before and after it.
    auto const expected = i % 3 == 2 ? 1'000'000 : i - i / 3;
    ports::Commit commit{.compares = {version_is("a", expected)}, .operations = {put("a", std::to_string(i))}};
    harness->store().commit(std::move(commit), client.deadline(), [&, i](auto answer) { answers.emplace_back(i, std::move(answer)); });
  }
  EXPECT_TRUE(answers.empty()) << "answered inside the call";
  ASSERT_TRUE(harness->run_until([&] { return answers.size() == 300; }));
  for (int i = 0; i < 300; ++i) {
    auto const& [number, answer] = answers[static_cast<std::size_t>(i)];
    EXPECT_EQ(number, i);
    ASSERT_TRUE(answer.has_value()) << answer.error().message;
    EXPECT_EQ(answer->succeeded, i % 3 != 2) << i;
    EXPECT_EQ(answer->revision, start + i + 1 - (i + 1) / 3) << i;
  }
  EXPECT_EQ(client.get("a")->version, 200);
}

TEST_P(StoreOrderSuite, reads_what_was_written_before_in_the_order_of_the_calls) {
  std::vector<std::string> seen;
  for (int i = 0; i < 20; ++i) {
    harness->store().commit({.compares = {}, .operations = {put("a", std::to_string(i))}}, client.deadline(), [](auto) {});
    harness->store().range({.prefix = "a"}, client.deadline(), [&](auto answer) { seen.push_back(answer->items.front().value); });
  }
  ASSERT_TRUE(harness->run_until([&] { return seen.size() == 20; }));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(seen[static_cast<std::size_t>(i)], std::to_string(i));
}

TEST_P(StoreOrderSuite, does_not_lose_to_a_compaction_what_was_committed_before_it) {
  auto const start = client.revision();
  WatchRecord const record(*harness, "", start + 1);
  for (auto const* value : {"1", "2", "3"})
    harness->store().commit({.compares = {}, .operations = {put("a", value)}}, client.deadline(), [](auto) {});
  harness->store().compact(start + 3, client.deadline(), [](auto) {});
  client.revision();
  EXPECT_THAT(record.lines(), ElementsAre(line(start + 1, "a=1"), line(start + 2, "a=2"), line(start + 3, "a=3")));
}

}  // namespace
}  // namespace davit::conformance
