// Members that are killed, stopped, or cannot reach each other, while a store is used. Times are printed, not judged.
#include <chrono>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/check.hpp"
#include "conformance/etcd/etcd_harness.hpp"
#include "conformance/etcd/journal_writer.hpp"
#include "proto/etcd/rpc.pb.h"
#include "rpc/client.hpp"

namespace davit::conformance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int kJournals = 16;

store_etcd::EtcdStore::Options options_for(EtcdCluster const& cluster, std::size_t first = 0) {
  auto endpoints = cluster.endpoints();
  std::ranges::rotate(endpoints, endpoints.begin() + static_cast<std::ptrdiff_t>(first));
  return {.endpoints = std::move(endpoints), .user = {}, .password = {}, .tls = {}};
}

// Each member serves, so that a store asks the first of its endpoints.
EtcdCluster const& serving(EtcdCluster const& cluster) {
  for (auto const& url : cluster.endpoints()) {
    EtcdUser user({.endpoints = {url}, .user = {}, .password = {}, .tls = {}});
    CHECK(StoreClient(user).range({.limit = 1}).has_value());
  }
  return cluster;
}

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

class EtcdFailure : public testing::Test {
 protected:
  void TearDown() override {
    if (HasFailure()) fmt::print("{}\n", cluster.describe());
  }
  std::vector<std::string> everything() {
    auto const result = client.range({});
    std::vector<std::string> all;
    if (!result) ADD_FAILURE() << result.error().message;
    else
      for (auto const& item : result->items) all.push_back(fmt::format("{}={}@{}", item.key, item.value, item.version));
    return all;
  }
  // Until so many more appends are acknowledged.
  testing::AssertionResult write_on(JournalWriter const& writer, std::int64_t appends) {
    auto const goal = writer.acknowledged() + appends;
    if (user.run_until([&] { return writer.acknowledged() >= goal || !writer.faults().empty(); }) && writer.faults().empty())
      return testing::AssertionSuccess();
    return testing::AssertionFailure() << writer.acknowledged() << " of " << goal << "; "
                                       << (writer.faults().empty() ? "no fault" : writer.faults().front());
  }
  void finish(JournalWriter& writer) {
    writer.finish();
    ASSERT_TRUE(user.run_until([&] { return writer.is_idle(); }));
    EXPECT_THAT(writer.faults(), IsEmpty());
    fmt::print("{} appends acknowledged; the outcome of {} tries was unknown, of which {} had come through\n", writer.acknowledged(),
               writer.unknown(), writer.resolved());
  }
  Monotonic now() { return user.loop().now().monotonic; }

  EtcdCluster cluster{quick_progress(3)};
  EtcdUser user{options_for(serving(cluster))};
  StoreClient client{user};
};

// The member that the others follow.
std::size_t leader_of(EtcdCluster const& cluster) {
  runtime::AsioLoop loop;
  rpc::Client rpc(loop);
  std::optional<std::size_t> leader;
  auto const endpoints = cluster.endpoints();
  auto const ask = [&](std::size_t member) {
    auto const connection = rpc.connect(endpoints[member].substr(sizeof "http://" - 1), {}, [](bool) {});
    rpc.call(connection,
             {.method = "/etcdserverpb.Maintenance/Status", .metadata = {}, .request = {}, .deadline = loop.now().monotonic + kPatience},
             [&leader, member](rpc::Outcome const& outcome, std::string const& reply) -> rpc::Task {
               etcdserverpb::StatusResponse status;
               bool const leads = outcome.is_ok() && status.ParseFromString(reply) && status.leader() == status.header().member_id();
               return [&leader, member, leads] {
                 if (leads) leader = member;
               };
             });
  };
  for (int round = 0; round < 20 && !leader; ++round) {  // in an election none of them leads
    for (std::size_t member = 0; member < endpoints.size(); ++member) ask(member);
    static_cast<void>(loop.run_until([&] { return leader.has_value(); }, 1s));
  }
  CHECK(leader, "no member leads");
  return *leader;
}

TEST_F(EtcdFailure, loses_no_acknowledged_commit_when_the_member_that_is_asked_is_killed) {
  JournalWriter writer(user.loop(), user.store(), kJournals);
  writer.start();
  ASSERT_TRUE(write_on(writer, 300));
  cluster.kill(0);
  ASSERT_TRUE(write_on(writer, 300));
  cluster.start(0);
  ASSERT_TRUE(write_on(writer, 300));
  finish(writer);
  EXPECT_EQ(everything(), writer.expected());
}

TEST_F(EtcdFailure, watches_without_gap_or_double_while_one_member_after_the_other_is_killed) {
  auto const start = client.write({put("begin", "")})->revision;
  WatchRecord const record(user, "", start + 1);
  JournalWriter writer(user.loop(), user.store(), kJournals);
  writer.start();
  for (std::size_t member = 0; member < 3; ++member) {
    ASSERT_TRUE(write_on(writer, 200));
    cluster.kill(member);
    ASSERT_TRUE(write_on(writer, 200));
    cluster.start(member);
    serving(cluster);  // two of three have to be there before the next one goes
  }
  finish(writer);
  auto const newest = client.range({.limit = 1})->revision;
  ASSERT_TRUE(user.run_until([&] { return !record.revisions().empty() && record.revisions().back() >= newest; }));
  std::vector<std::int64_t> expected;
  for (auto revision = start + 1; revision <= newest; ++revision) expected.push_back(revision);
  EXPECT_EQ(record.revisions(), expected);
  EXPECT_EQ(record.lines().size(), 2 * expected.size());
}

TEST_F(EtcdFailure, shows_the_end_of_a_lease_to_a_watch) {
  auto const lease = client.grant_lease(5s);
  ASSERT_TRUE(lease.has_value());
  WatchRecord const record(user, "leased", 0);
  auto const put_at = now();
  auto const revision = client.write({put("leased", "x", lease->lease)})->revision;
  ASSERT_TRUE(user.run_until([&] { return record.lines().size() == 2; }));
  fmt::print("a key with a lease of {:.0f} s vanished after {:.1f} s\n", seconds(lease->ttl), seconds(now() - put_at));
  EXPECT_THAT(record.lines(), ElementsAre(fmt::format("{} leased=x", revision), fmt::format("{} -leased", revision + 1)));
  EXPECT_EQ(client.renew_lease(lease->lease).error().code, Code::NotFound);
}

TEST_F(EtcdFailure, goes_on_when_the_leader_is_killed) {
  auto const leader = leader_of(cluster);
  // Once by way of a follower, once by way of the leader itself.
  EtcdUser follower(options_for(cluster, (leader + 1) % 3));
  EtcdUser leaders(options_for(cluster, leader));
  for (auto* each : {&follower, &leaders}) ASSERT_TRUE(StoreClient(*each).write({put("before", "")}).has_value());
  auto const killed_at = now();
  cluster.kill(leader);
  for (auto* each : {&follower, &leaders}) {
    auto answer = StoreClient(*each).write({put("after", "")});
    while (!answer && answer.error().code == Code::UnknownOutcome) answer = StoreClient(*each).write({put("after", "")});
    ASSERT_TRUE(answer.has_value()) << answer.error().message;
    fmt::print("first commit by way of {} {:.1f} s after the leader was killed\n", each == &follower ? "a follower" : "the leader's client",
               seconds(now() - killed_at));
  }
}

// As a master session does it: every 500 ms with 300 ms to answer, again at once when it fails.
TEST_F(EtcdFailure, renews_a_lease_while_the_leader_dies) {
  auto const leader = leader_of(cluster);
  EtcdUser follower(options_for(cluster, (leader + 1) % 3));
  auto const lease = StoreClient(follower).grant_lease(10s)->lease;
  auto renewed_at = now();
  Duration longest{};
  int failed = 0;
  bool is_over = false;
  auto const timer = follower.loop().make_timer();
  std::function<void()> renew = [&] {
    auto const sent = now();
    follower.store().renew_lease(lease, sent + 300ms, [&, sent](Result<ports::LeaseGranted> const& answer) {
      is_over |= !answer && answer.error().code == Code::NotFound;
      failed += !answer;
      if (answer) {
        longest = std::max(longest, sent - renewed_at);
        renewed_at = sent;
      }
      timer->set(answer ? sent + 500ms : std::max(now(), sent + 100ms), renew);
    });
  };
  renew();
  auto const killed_at = now();
  cluster.kill(leader);
  ASSERT_TRUE(follower.run_until([&] { return is_over || renewed_at > killed_at + 5s; }));
  EXPECT_FALSE(is_over);
  fmt::print("{} renewals failed; the longest gap between the sending of two that succeeded: {:.1f} s\n", failed, seconds(longest));
}

TEST_F(EtcdFailure, turns_from_a_member_that_stands_still) {
  auto const start = client.write({put("before", "")})->revision;
  WatchRecord const record(user, "", start + 1);
  auto const paused_at = now();
  cluster.pause(0);
  // A read that is lost goes to the next member; a commit that was sent there is of unknown outcome.
  auto answer = client.write({put("after", "1")});
  while (!answer && answer.error().code == Code::UnknownOutcome) answer = client.write({put("after", "1")});
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  fmt::print("first commit {:.1f} s after the member stood still\n", seconds(now() - paused_at));
  EXPECT_EQ(client.get("after")->value, "1");
  ASSERT_TRUE(user.run_until([&] {
    client.get("after");  // shows the watch how far the store is
    return !record.lines().empty();
  }));
  fmt::print("first batch {:.1f} s after the member stood still\n", seconds(now() - paused_at));
  EXPECT_EQ(record.lines().front(), fmt::format("{} after=1", start + 1));
  cluster.resume(0);
}

TEST_F(EtcdFailure, says_so_while_most_members_are_gone_and_goes_on_when_they_return) {
  ASSERT_TRUE(client.write({put("a", "1")}).has_value());
  cluster.kill(1);
  cluster.kill(2);
  std::optional<Result<ports::RangeResult>> answer;
  user.store().range({}, now() + 4s, [&](auto result) { answer = std::move(result); });
  ASSERT_TRUE(user.run_until([&] { return answer.has_value(); }));
  ASSERT_FALSE(answer->has_value());
  EXPECT_EQ(answer->error().code, Code::Deadline);
  fmt::print("{}\n", answer->error().message);
  cluster.start(1);
  EXPECT_EQ(client.get("a")->value, "1");
}

TEST(EtcdAbsent, answers_by_the_deadline_and_serves_once_it_is_there) {
  EtcdCluster cluster(quick_progress(1));
  cluster.kill(0);
  EtcdUser user(options_for(cluster));
  std::vector<Code> codes;
  auto const deadline = user.loop().now().monotonic + 200ms;
  auto const note = [&](auto const& result) { codes.push_back(result ? Code::Internal : result.error().code); };
  user.store().range({}, deadline, note);
  user.store().commit({.compares = {}, .operations = {put("a", "")}}, deadline, note);
  user.store().status(deadline, note);
  ASSERT_TRUE(user.run_until([&] { return codes.size() == 3; }));
  EXPECT_THAT(codes, testing::Each(Code::Deadline));  // surely not done: it was never sent
  std::optional<Result<ports::Committed>> waiting;
  user.store().commit({.compares = {}, .operations = {put("b", "")}}, user.loop().now().monotonic + kPatience,
                      [&](auto result) { waiting = std::move(result); });
  cluster.start(0);
  ASSERT_TRUE(user.run_until([&] { return waiting.has_value(); }));
  EXPECT_TRUE(waiting->has_value());
  EXPECT_THAT(StoreClient(user).keys(), ElementsAre("b"));
}

}  // namespace
}  // namespace davit::conformance
