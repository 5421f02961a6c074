// What only this store can do: faults, quotas, leases that end by virtual time. Its semantics: tests/conformance.
#include "sim/memory_store.hpp"

#include <optional>
#include <vector>

#include <gmock/gmock.h>

#include "sim/virtual_loop.hpp"

namespace davit::sim {
namespace {

using ports::Commit;
using ports::Committed;
using ports::Erase;
using ports::Put;
using ports::Range;
using ports::RangeResult;

class MemoryStoreTest : public testing::Test {
 protected:
  VirtualLoop loop;
  MemoryStore store{loop};

  Monotonic in(Duration duration) const { return loop.now().monotonic + duration; }

  Result<Committed> put(std::string key, std::string value, std::int64_t lease = 0) {
    return commit(Commit{.compares = {}, .operations = {Put{.key = std::move(key), .value = std::move(value), .lease = lease}}});
  }
  Result<Committed> commit(Commit commit) {
    std::optional<Result<Committed>> result;
    store.commit(std::move(commit), in(1s), [&](Result<Committed> r) { result = std::move(r); });
    EXPECT_TRUE(loop.run_until([&] { return result.has_value(); }, 2s));
    return *result;
  }
  std::vector<std::string> keys() { return keys(store); }
  std::vector<std::string> keys(MemoryStore& from) {
    std::vector<std::string> names;
    from.range(Range{}, in(1s), [&](Result<RangeResult> r) {
      for (auto const& item : r->items) names.push_back(item.key);
    });
    loop.run_until_idle();
    return names;
  }
};

TEST_F(MemoryStoreTest, fails_the_next_call_before_it_was_applied) {
  store.fail_next(Code::Unavailable);
  EXPECT_EQ(put("a", "1").error().code, Code::Unavailable);
  EXPECT_TRUE(keys().empty());
  EXPECT_TRUE(put("a", "1").has_value());
}

TEST_F(MemoryStoreTest, fails_the_next_call_after_it_was_applied) {
  store.fail_next(Code::UnknownOutcome, MemoryStore::Moment::AfterApplied);
  EXPECT_EQ(put("a", "1").error().code, Code::UnknownOutcome);
  EXPECT_THAT(keys(), testing::ElementsAre("a"));
}

TEST_F(MemoryStoreTest, refuses_puts_beyond_the_quota_and_lets_erases_pass) {
  ASSERT_TRUE(put("a", std::string(100, 'x')).has_value());
  store.data().set_quota(110);
  EXPECT_EQ(put("b", std::string(100, 'x')).error().code, Code::Full);
  EXPECT_TRUE(commit({.compares = {}, .operations = {Erase{"a"}}}).has_value());
  store.data().set_quota(0);
  EXPECT_TRUE(put("b", "1").has_value());
}

TEST_F(MemoryStoreTest, refuses_every_write_while_full_and_goes_on_reading) {
  ASSERT_TRUE(put("a", "1").has_value());
  store.data().set_full(true);
  EXPECT_EQ(commit({.compares = {}, .operations = {Erase{"a"}}}).error().code, Code::Full);
  EXPECT_THAT(keys(), testing::ElementsAre("a"));
  store.data().set_full(false);
  EXPECT_TRUE(put("b", "1").has_value());
}

TEST_F(MemoryStoreTest, ends_a_lease_that_is_not_renewed) {
  auto const lease = store.data().grant_lease(3s).lease;
  ASSERT_TRUE(put("leased", "1", lease).has_value());
  loop.advance(2s);
  ASSERT_TRUE(store.data().renew_lease(lease).has_value());
  loop.advance(2s);
  EXPECT_THAT(keys(), testing::ElementsAre("leased"));
  loop.advance(1s);
  EXPECT_TRUE(keys().empty());
  EXPECT_EQ(store.data().renew_lease(lease).error().code, Code::NotFound);
}

TEST_F(MemoryStoreTest, lets_calls_end_at_their_deadlines_while_unreachable) {
  store.set_reachable(false);
  std::vector<Code> codes;
  store.commit({.compares = {}, .operations = {Put{.key = "a", .value = "1"}}}, in(1s), [&](auto r) { codes.push_back(r.error().code); });
  store.range({}, in(2s), [&](auto r) { codes.push_back(r.error().code); });
  loop.advance(1500ms);
  EXPECT_THAT(codes, testing::ElementsAre(Code::UnknownOutcome));
  loop.advance(1s);
  EXPECT_THAT(codes, testing::ElementsAre(Code::UnknownOutcome, Code::Deadline));
}

TEST_F(MemoryStoreTest, catches_a_watch_up_once_it_is_reachable_again) {
  MemoryStore other(loop, std::shared_ptr<MemoryKv>(&store.data(), [](MemoryKv*) {}));
  std::vector<std::int64_t> revisions;
  auto const watch = other.watch("", 0, [&](ports::WatchBatch const& batch) { revisions.push_back(batch.revision); });
  other.set_reachable(false);
  ASSERT_TRUE(put("a", "1").has_value());
  ASSERT_TRUE(put("b", "1").has_value());
  EXPECT_TRUE(revisions.empty());
  other.set_reachable(true);
  loop.run_until_idle();
  EXPECT_THAT(revisions, testing::ElementsAre(2, 3));
  EXPECT_THAT(keys(other), testing::ElementsAre("a", "b"));
}

TEST_F(MemoryStoreTest, tells_a_watch_that_slept_through_a_compaction) {
  bool compacted = false;
  auto const watch = store.watch("", 0, [&](ports::WatchBatch const& batch) { compacted = batch.compacted; });
  store.set_reachable(false);
  for (auto const* key : {"a", "b", "c"})
    ASSERT_TRUE(store.data().commit({.compares = {}, .operations = {Put{.key = key, .value = "1"}}}).has_value());
  ASSERT_TRUE(store.data().compact(4).has_value());
  store.set_reachable(true);
  loop.run_until_idle();
  EXPECT_TRUE(compacted);
}

}  // namespace
}  // namespace davit::sim
