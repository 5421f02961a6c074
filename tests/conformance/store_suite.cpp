// What every ports::Store must do. A new implementation adds its factory (local_stores.cpp, etcd/etcd_stores.cpp) and changes nothing here.
#include <map>
#include <set>

#include <gmock/gmock.h>

#include "conformance/store_suite.hpp"

namespace davit::conformance {
namespace {

using ports::Compare;
using ports::Operation;
using testing::ElementsAre;
using testing::Pair;

constexpr auto kMod = Compare::Target::ModRevision;
constexpr auto kCreate = Compare::Target::CreateRevision;

TEST_P(StoreSuite, counts_revisions_and_versions_as_etcd_does) {
  auto const start = client.revision();
  ASSERT_EQ(client.write({put("a", "1")})->revision, start + 1);
  ASSERT_EQ(client.write({put("a", "2"), put("b", "1")})->revision, start + 2);
  EXPECT_EQ(client.get("a"), (ports::KeyValue{"a", "2", start + 1, start + 2, 2, 0}));
  EXPECT_EQ(client.get("b"), (ports::KeyValue{"b", "1", start + 2, start + 2, 1, 0}));
}

TEST_P(StoreSuite, begins_anew_when_a_key_is_created_again) {
  auto const start = client.revision();
  ASSERT_TRUE(client.write({put("a", "1")}).has_value());
  ASSERT_TRUE(client.write({put("a", "2")}).has_value());
  ASSERT_TRUE(client.write({erase("a")}).has_value());
  EXPECT_EQ(client.get("a"), std::nullopt);
  ASSERT_TRUE(client.write({put("a", "3")}).has_value());
  EXPECT_EQ(client.get("a"), (ports::KeyValue{"a", "3", start + 4, start + 4, 1, 0}));
}

TEST_P(StoreSuite, keeps_any_bytes) {
  std::string const bytes("\0\xff'\n\"", 5);
  ASSERT_TRUE(client.write({put("k" + bytes, bytes), put("empty", "")}).has_value());
  EXPECT_EQ(client.get("k" + bytes)->value, bytes);
  EXPECT_EQ(client.get("empty")->value, "");
}

TEST_P(StoreSuite, applies_all_operations_or_none) {
  ASSERT_TRUE(client.write({put("a", "1")}).has_value());
  auto const before = client.revision();
  auto const refused = client.commit({version_is("a", 1), version_is("b", 1)}, {put("a", "2"), put("b", "2"), erase("a2")});
  ASSERT_TRUE(refused.has_value());
  EXPECT_FALSE(refused->succeeded);
  EXPECT_EQ(refused->revision, before);
  EXPECT_EQ(client.get("a")->value, "1");
  EXPECT_EQ(client.get("b"), std::nullopt);
  EXPECT_TRUE(client.commit({version_is("a", 1), version_is("b", 0)}, {put("a", "2"), put("b", "2")})->succeeded);
}

TEST_P(StoreSuite, compares_each_of_the_three_numbers) {
  auto const created = client.write({put("a", "1")})->revision;
  auto const changed = client.write({put("a", "2")})->revision;
  auto const holds = [&](Compare compare) { return client.commit({std::move(compare)}, {})->succeeded; };
  EXPECT_TRUE(holds(version_is("a", 2)));
  EXPECT_FALSE(holds(version_is("a", 1)));
  EXPECT_TRUE(holds({"a", kCreate, created}));
  EXPECT_FALSE(holds({"a", kCreate, changed}));
  EXPECT_TRUE(holds({"a", kMod, changed}));
  EXPECT_FALSE(holds({"a", kMod, created}));
  for (auto const target : {Compare::Target::Version, kCreate, kMod}) EXPECT_TRUE(holds({"absent", target, 0}));
}

TEST_P(StoreSuite, makes_no_revision_when_nothing_changes) {
  auto const before = client.revision();
  auto const nothing = client.write({});
  ASSERT_TRUE(nothing.has_value());
  EXPECT_TRUE(nothing->succeeded);
  auto const absent = client.write({erase("absent")});
  ASSERT_TRUE(absent.has_value());
  EXPECT_TRUE(absent->succeeded);
  EXPECT_EQ(absent->revision, before);
  EXPECT_EQ(client.revision(), before);
}

TEST_P(StoreSuite, refuses_commits_that_etcd_would_refuse) {
  auto const many = [](int count) {
    std::vector<Operation> operations;
    for (int i = 0; i < count; ++i) operations.push_back(put("k" + std::to_string(i), ""));
    return operations;
  };
  EXPECT_EQ(client.write(many(129)).error().code, Code::Invalid);
  EXPECT_EQ(client.write({put("a", "1"), put("a", "2")}).error().code, Code::Invalid);
  EXPECT_EQ(client.write({put("a", "1"), erase("a")}).error().code, Code::Invalid);
  EXPECT_EQ(client.write({put("", "1")}).error().code, Code::Invalid);
  EXPECT_EQ(client.commit(std::vector<Compare>(129, version_is("a", 0)), {}).error().code, Code::Invalid);
  EXPECT_TRUE(client.keys().empty());
  EXPECT_TRUE(client.write(many(128)).has_value());
}

TEST_P(StoreSuite, ranges_over_a_prefix_in_the_order_of_bytes) {
  ASSERT_TRUE(client.write({put("b/2", ""), put("b/10", ""), put("a", ""), put("b", ""), put("c", ""), put("b/\xff", "")}).has_value());
  EXPECT_THAT(client.keys(), ElementsAre("a", "b", "b/10", "b/2", "b/\xff", "c"));
  EXPECT_THAT(client.keys({.prefix = "b/"}), ElementsAre("b/10", "b/2", "b/\xff"));
  EXPECT_THAT(client.keys({.prefix = "b/\xff"}), ElementsAre("b/\xff"));
  EXPECT_TRUE(client.keys({.prefix = "none"}).empty());
}

TEST_P(StoreSuite, ranges_in_pages) {
  ASSERT_TRUE(client.write({put("p/1", ""), put("p/2", ""), put("p/3", ""), put("q", "")}).has_value());
  auto const first = client.range({.prefix = "p/", .limit = 2});
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->items.size(), 2u);
  EXPECT_TRUE(first->more);
  auto const second = client.range({.prefix = "p/", .revision = first->revision, .limit = 2, .after = "p/2"});
  ASSERT_TRUE(second.has_value());
  EXPECT_FALSE(second->more);
  EXPECT_THAT(client.keys({.prefix = "p/", .limit = 2, .after = "p/2"}), ElementsAre("p/3"));
  EXPECT_FALSE(client.range({.prefix = "p/", .limit = 3})->more);
  EXPECT_TRUE(client.keys({.prefix = "p/", .after = "p/3"}).empty());
  EXPECT_THAT(client.keys({.prefix = "p/", .limit = 1, .after = "a"}), ElementsAre("p/1"));
}

TEST_P(StoreSuite, ranges_at_an_older_revision) {
  auto const old = client.write({put("a", "1"), put("c", "1")})->revision;
  ASSERT_TRUE(client.write({put("a", "2"), put("b", "1"), erase("c"), put("d", "1")}).has_value());
  ASSERT_TRUE(client.write({put("a", "3"), put("c", "2")}).has_value());
  auto const then = client.range({.revision = old});
  ASSERT_TRUE(then.has_value());
  EXPECT_EQ(then->revision, old);
  EXPECT_THAT(then->items, ElementsAre(ports::KeyValue{"a", "1", old, old, 1, 0}, ports::KeyValue{"c", "1", old, old, 1, 0}));
  EXPECT_THAT(client.keys({.revision = old + 1}), ElementsAre("a", "b", "d"));
  EXPECT_THAT(client.keys({.revision = old + 1, .limit = 1, .after = "a"}), ElementsAre("b"));
  EXPECT_EQ(client.range({.revision = old + 9}).error().code, Code::Invalid);
}

TEST_P(StoreSuite, forgets_the_past_when_compacted) {
  auto const first = client.write({put("a", "1")})->revision;
  ASSERT_TRUE(client.write({put("a", "2")}).has_value());
  auto const third = client.write({put("a", "3")})->revision;
  ASSERT_TRUE(client.compact(third).has_value());
  EXPECT_EQ(client.range({.revision = first}).error().code, Code::Stale);
  EXPECT_EQ(client.range({.revision = third})->items.front().value, "3");
  EXPECT_EQ(client.get("a")->version, 3);
  EXPECT_TRUE(client.compact(first).has_value());
  EXPECT_EQ(client.compact(third + 1).error().code, Code::Invalid);
}

TEST_P(StoreSuite, removes_the_keys_of_a_revoked_lease_at_one_revision) {
  auto const lease = client.grant_lease(60s);
  ASSERT_TRUE(lease.has_value());
  EXPECT_EQ(lease->ttl, 60s);
  ASSERT_TRUE(client.write({put("leased/1", "", lease->lease), put("leased/2", "", lease->lease), put("free", "")}).has_value());
  EXPECT_EQ(client.get("leased/1")->lease, lease->lease);
  auto const before = client.revision();
  ASSERT_TRUE(client.revoke_lease(lease->lease).has_value());
  EXPECT_THAT(client.keys(), ElementsAre("free"));
  EXPECT_EQ(client.revision(), before + 1);
}

TEST_P(StoreSuite, leaves_keys_alone_that_a_lease_no_longer_holds) {
  auto const old = client.grant_lease(60s)->lease;
  auto const young = client.grant_lease(60s)->lease;
  EXPECT_NE(old, young);
  ASSERT_TRUE(client.write({put("freed", "1", old), put("moved", "1", old)}).has_value());
  ASSERT_TRUE(client.write({put("freed", "2"), put("moved", "2", young)}).has_value());
  auto const before = client.revision();
  ASSERT_TRUE(client.revoke_lease(old).has_value());
  EXPECT_THAT(client.keys(), ElementsAre("freed", "moved"));
  EXPECT_EQ(client.revision(), before);
}

TEST_P(StoreSuite, says_not_found_of_a_lease_that_has_ended) {
  auto const lease = client.grant_lease(60s)->lease;
  EXPECT_EQ(client.renew_lease(lease)->ttl, 60s);
  ASSERT_TRUE(client.revoke_lease(lease).has_value());
  EXPECT_EQ(client.renew_lease(lease).error().code, Code::NotFound);
  EXPECT_EQ(client.revoke_lease(lease).error().code, Code::NotFound);
  EXPECT_EQ(client.write({put("a", "1"), put("b", "1", lease)}).error().code, Code::NotFound);
  EXPECT_TRUE(client.keys().empty());
}

TEST_P(StoreSuite, judges_commits_in_flight_each_by_itself) {
  constexpr int kCommits = 300;
  std::map<int, Result<ports::Committed>> answers;
  std::set<std::int64_t> revisions;
  auto const start = client.revision();
  for (int i = 0; i < kCommits; ++i) {
    // Every third expects a version that is not there; it must not disturb the others.
    auto const key = "a/" + std::to_string(i);
    ports::Commit commit{.compares = {version_is(key, i % 3 == 2 ? 1'000'000 : 0)}, .operations = {put(key, "")}};
    harness->store().commit(std::move(commit), client.deadline(), [&, i](auto answer) { answers.emplace(i, std::move(answer)); });
  }
  EXPECT_TRUE(answers.empty()) << "answered inside the call";
  ASSERT_TRUE(harness->run_until([&] { return answers.size() == kCommits; }));
  for (auto const& [i, answer] : answers) {
    ASSERT_TRUE(answer.has_value()) << answer.error().message;
    EXPECT_EQ(answer->succeeded, i % 3 != 2) << i;
    if (answer->succeeded) revisions.insert(answer->revision);
  }
  ASSERT_EQ(revisions.size(), 200u);
  EXPECT_EQ(*revisions.begin(), start + 1);
  EXPECT_EQ(*revisions.rbegin(), start + 200);
  EXPECT_EQ(client.keys({.prefix = "a/"}).size(), 200u);
}

TEST_P(StoreSuite, lets_a_bad_commit_in_flight_disturb_no_other) {
  std::map<char, std::optional<Code>> codes;
  auto const send = [&](char which, std::vector<Operation> operations) {
    harness->store().commit({.compares = {}, .operations = std::move(operations)}, client.deadline(),
                            [&, which](auto answer) { codes[which] = answer ? std::nullopt : std::optional(answer.error().code); });
  };
  send('a', {put("a", "1")});
  send('b', {put("b", "1"), put("b", "2")});
  send('c', {put("c", "1", 4711)});
  send('d', {put("d", "1")});
  ASSERT_TRUE(harness->run_until([&] { return codes.size() == 4; }));
  EXPECT_THAT(codes, ElementsAre(Pair('a', std::nullopt), Pair('b', Code::Invalid), Pair('c', Code::NotFound), Pair('d', std::nullopt)));
  EXPECT_THAT(client.keys(), ElementsAre("a", "d"));
}

TEST_P(StoreSuite, ends_a_call_whose_deadline_has_passed_without_doing_it_or_saying_so_falsely) {
  std::optional<Result<ports::Committed>> answer;
  harness->store().commit({.compares = {}, .operations = {put("late", "")}}, harness->loop().now().monotonic - 1s,
                          [&](auto a) { answer = std::move(a); });
  EXPECT_FALSE(answer.has_value()) << "answered inside the call";
  ASSERT_TRUE(harness->run_until([&] { return answer.has_value(); }));
  // A store that was quicker than its own deadline check may have done it, and then says so.
  bool const is_there = client.get("late").has_value();
  if (answer->has_value()) {
    EXPECT_TRUE(is_there);
  } else if (answer->error().code == Code::Deadline) {
    EXPECT_FALSE(is_there);
  } else {
    EXPECT_EQ(answer->error().code, Code::UnknownOutcome);
  }
}

TEST_P(StoreSuite, says_nothing_after_stop) {
  int answers = 0;
  int batches = 0;
  auto const watch = harness->store().watch("", 0, [&](auto const&) { ++batches; });
  for (int i = 0; i < 50; ++i)
    harness->store().commit({.compares = {}, .operations = {put("a", "1")}}, client.deadline(), [&](auto) { ++answers; });
  harness->store().range({}, client.deadline(), [&](auto) { ++answers; });
  // Once the first answer is here, others and the watch's batches are on their way.
  ASSERT_TRUE(harness->run_until([&] { return answers == 1; }));
  harness->store().stop();
  auto const batches_at_stop = batches;
  harness->store().range({}, client.deadline(), [&](auto) { ++answers; });
  bool posted = false;
  harness->loop().post([&] { posted = true; });
  ASSERT_TRUE(harness->run_until([&] { return posted; }));
  EXPECT_EQ(answers, 1);
  EXPECT_EQ(batches, batches_at_stop);
  harness->store().stop();
}

TEST_P(StoreSuite, may_be_stopped_by_what_it_calls) {
  int heard = 0;
  for (int i = 0; i < 10; ++i) {
    harness->store().commit({.compares = {}, .operations = {put("a", "1")}}, client.deadline(), [&](auto) {
      ++heard;
      harness->store().stop();
    });
  }
  ASSERT_TRUE(harness->run_until([&] { return heard > 0; }));
  bool posted = false;
  harness->loop().post([&] { posted = true; });
  ASSERT_TRUE(harness->run_until([&] { return posted; }));
  EXPECT_EQ(heard, 1);
}

}  // namespace
}  // namespace davit::conformance
