// What etcd has and the other stores have not: a quota, a limit to requests, other users' keys. And the same random calls as memory gets.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conformance/etcd/etcd_harness.hpp"
#include "conformance/random_user.hpp"

namespace davit::conformance {
namespace {

using testing::IsEmpty;

TEST(EtcdLimits, says_full_at_the_quota_and_still_reads_and_erases) {
  EtcdCluster const cluster({.members = 1, .arguments = {"--quota-backend-bytes=2000000"}});
  EtcdUser user({.endpoints = cluster.endpoints(), .user = {}, .password = {}, .tls = {}, .quota_bytes = 2'000'000});
  StoreClient client(user);
  std::string const large(100'000, 'x');
  Result<ports::Committed> answer;
  int written = 0;
  do {
    answer = client.write({put(fmt::format("k{:03}", written), large)});
    written += answer.has_value();
  } while (answer.has_value() && written < 100);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, Code::Full) << answer.error().message;
  EXPECT_EQ(client.keys().size(), static_cast<std::size_t>(written));
  EXPECT_EQ(client.grant_lease(60s).error().code, Code::Full);
  EXPECT_TRUE(client.write({erase("k000")}).has_value());

  std::optional<Result<ports::StoreStatus>> status;
  user.store().status(client.deadline(), [&](auto result) { status = std::move(result); });
  ASSERT_TRUE(user.run_until([&] { return status.has_value(); }));
  ASSERT_TRUE(status->has_value());
  EXPECT_EQ((*status)->quota_bytes, 2'000'000);
  EXPECT_GT((*status)->size_bytes, 1'000'000);
}

TEST(EtcdLimits, refuses_a_commit_that_is_too_large_for_good) {
  auto const harness = make_etcd_harness();
  EXPECT_EQ(StoreClient(*harness).write({put("a", std::string(2'000'000, 'x'))}).error().code, Code::Invalid);
}

TEST(EtcdLimits, reads_and_watches_more_than_a_message_of_grpc_holds_by_default) {
  auto const harness = make_etcd_harness();
  StoreClient client(*harness);
  auto const start = client.revision();
  std::string const large(1'000'000, 'x');
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(client.write({put(std::to_string(i), large)}).has_value());
  EXPECT_EQ(client.range({})->items.size(), 6u);
  WatchRecord const record(*harness, "", start + 1);
  client.revision();
  EXPECT_EQ(record.lines().size(), 6u);
}

// A watch reaches the revisions of those who share the etcd: unasked on every version, asked where that keeps the order.
class EtcdProgress : public testing::TestWithParam<bool> {};

TEST_P(EtcdProgress, reaches_the_revisions_of_others) {
  bool const unasked = GetParam();
  if (!unasked && !can_be_asked_for_progress()) GTEST_SKIP() << "this etcd is too old to be asked";
  EtcdCluster const cluster(unasked ? quick_progress(1) : EtcdCluster::Options{});
  EtcdUser user({.endpoints = cluster.endpoints(), .user = {}, .password = {}, .tls = {}});
  StoreClient client(user);
  ASSERT_TRUE(client.write({put("mine/a", "1")}).has_value());
  WatchRecord const record(user, "mine/", 0);
  auto const revision = client.write({put("others/a", "1")})->revision;
  ASSERT_TRUE(user.run_until([&] { return !record.revisions().empty() && record.revisions().back() >= revision; }));
  EXPECT_THAT(record.lines(), IsEmpty());
  auto const mine = client.write({put("mine/a", "2")})->revision;
  ASSERT_TRUE(user.run_until([&] { return record.revisions().back() >= mine; }));
  EXPECT_THAT(record.lines(), testing::ElementsAre(fmt::format("{} mine/a=2", mine)));
}

class EtcdDifferential : public testing::TestWithParam<std::uint64_t> {};

TEST_P(EtcdDifferential, answers_and_delivers_as_memory_does) {
  EtcdCluster cluster(quick_progress(1));
  expect_alike(*make_memory_harness(), *make_etcd_harness(cluster), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Etcd, EtcdDifferential, testing::Values(1, 2));
INSTANTIATE_TEST_SUITE_P(Etcd, EtcdProgress, testing::Bool(), [](auto const& info) { return info.param ? "unasked" : "asked"; });

}  // namespace
}  // namespace davit::conformance
