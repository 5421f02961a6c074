// The SQLite store over a disk that refuses, fails or hangs: SQLite's own write calls are replaced by ours.
#include <atomic>
#include <cerrno>
#include <latch>
#include <utility>
#include <vector>

#include <unistd.h>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <sqlite3.h>

#include "adapters/store_sqlite/sqlite_store.hpp"
#include "base/check.hpp"
#include "conformance/store_harness.hpp"

namespace davit::conformance {
namespace {

using testing::ElementsAre;

// What every write of SQLite in this process meets. Written by the test, read by the store's thread.
std::atomic<int> write_error = 0;  // an errno; 0: none
std::atomic<int> writes = 0;
std::atomic<class HungWrite*> hung_write = nullptr;

// The next write stops until it is told to go on, or this goes.
class HungWrite {
 public:
  HungWrite() { hung_write = this; }
  HungWrite(HungWrite const&) = delete;
  HungWrite& operator=(HungWrite const&) = delete;
  ~HungWrite() { go_on(); }
  void await_begin() { begun_.wait(); }
  void go_on() {
    if (!std::exchange(has_gone_on_, true)) go_on_.count_down();
  }
  void hang() {
    begun_.count_down();
    go_on_.wait();
  }

 private:
  std::latch begun_{1};
  std::latch go_on_{1};
  bool has_gone_on_ = false;
};

ssize_t faulty_pwrite(int fd, void const* bytes, std::size_t size, off_t offset) {
  ++writes;
  if (auto* const hung = hung_write.exchange(nullptr)) hung->hang();
  if (int const error = write_error) {
    errno = error;
    return -1;
  }
  return ::pwrite(fd, bytes, size, offset);
}

class SqliteFaults : public testing::Test {
 protected:
  SqliteFaults() {
    auto* const vfs = sqlite3_vfs_find(nullptr);
    int replaced = 0;
    for (auto const* name : {"pwrite", "pwrite64"})
      replaced += vfs->xSetSystemCall(vfs, name, reinterpret_cast<sqlite3_syscall_ptr>(faulty_pwrite)) == SQLITE_OK;
    CHECK(replaced > 0, "this SQLite writes by other calls");
  }
  ~SqliteFaults() override {
    write_error = 0;
    harness.reset();
    auto* const vfs = sqlite3_vfs_find(nullptr);
    vfs->xSetSystemCall(vfs, nullptr, nullptr);
  }

  TemporaryFolder folder;
  std::filesystem::path const file = folder.path() / "store.db";
  std::unique_ptr<StoreHarness> harness = make_sqlite_harness(file);

  // The integrity of the file is checked on the way.
  StoreClient reopen() {
    harness.reset();
    harness = make_sqlite_harness(file);
    return StoreClient(*harness);
  }
};

TEST_F(SqliteFaults, says_full_and_recovers_when_the_disk_takes_no_more) {
  StoreClient client(*harness);
  WatchRecord const record(*harness, "", 2);
  ASSERT_TRUE(client.write({put("a", "1")}).has_value());
  for (int const error : {ENOSPC, ENOSPC}) {
    write_error = error;
    auto const refused = client.write({put("a", "2")});
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Code::Full) << refused.error().message;
    EXPECT_EQ(client.get("a")->value, "1");
    write_error = 0;
  }
  EXPECT_EQ(client.write({put("a", "3")})->revision, 3);
  client.revision();
  EXPECT_THAT(record.lines(), ElementsAre("2 a=1", "3 a=3"));
  EXPECT_EQ(reopen().get("a")->value, "3");
}

TEST_F(SqliteFaults, does_not_know_the_outcome_when_a_commit_meets_an_error_of_the_disk) {
  StoreClient client(*harness);
  WatchRecord const record(*harness, "", 2);
  ASSERT_TRUE(client.write({put("a", "1")}).has_value());
  write_error = EIO;
  auto const failed = client.commit({version_is("a", 1)}, {put("a", "2")});
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code, Code::UnknownOutcome) << failed.error().message;
  write_error = 0;
  // What its caller does then: the same commit again. Whatever the first one did, the file, the answers and the watch agree.
  auto const again = client.commit({version_is("a", 1)}, {put("a", "2")});
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(client.get("a"), (ports::KeyValue{"a", "2", 2, 3, 2, 0}));
  client.revision();
  EXPECT_THAT(record.lines(), ElementsAre("2 a=1", "3 a=2"));
  EXPECT_EQ(reopen().get("a"), (ports::KeyValue{"a", "2", 2, 3, 2, 0}));
}

TEST_F(SqliteFaults, shares_one_flush_among_the_commits_that_wait_together) {
  StoreClient client(*harness);
  int answered = 0;
  HungWrite first_write;
  auto const send = [&] {
    harness->store().commit({.compares = {}, .operations = {put("a", "1")}}, client.deadline(),
                            [&](auto answer) { answered += answer.has_value(); });
  };
  send();
  first_write.await_begin();
  for (int i = 0; i < 300; ++i) send();
  writes = 0;
  first_write.go_on();
  ASSERT_TRUE(harness->run_until([&] { return answered == 301; }));
  EXPECT_LT(writes, 60);  // a few pages, instead of a few for each commit
  EXPECT_EQ(client.get("a")->version, 301);
}

TEST_F(SqliteFaults, fails_a_whole_group_together) {
  StoreClient client(*harness);
  std::vector<std::optional<Code>> codes;
  HungWrite first_write;
  auto const send = [&](std::vector<ports::Compare> compares, std::vector<ports::Operation> operations) {
    harness->store().commit({.compares = std::move(compares), .operations = std::move(operations)}, client.deadline(),
                            [&](auto answer) { codes.push_back(answer ? std::nullopt : std::optional(answer.error().code)); });
  };
  send({}, {put("first", "1")});
  first_write.await_begin();
  // These wait while the first one is written, so they share the next transaction.
  send({}, {put("a", "1")});
  send({version_is("a", 0)}, {put("a", "2")});  // does not hold only because of the one before
  send({}, {put("", "1")});
  write_error = ENOSPC;
  first_write.go_on();
  ASSERT_TRUE(harness->run_until([&] { return codes.size() == 4; }));
  EXPECT_THAT(codes, ElementsAre(Code::Full, Code::Full, Code::Full, Code::Invalid));
  write_error = 0;
  EXPECT_TRUE(client.keys().empty());
}

TEST_F(SqliteFaults, ends_calls_at_their_deadlines_while_the_disk_hangs) {
  StoreClient client(*harness);
  std::vector<std::pair<std::string, Code>> ends;
  HungWrite first_write;
  auto const soon = harness->loop().now().monotonic + 20ms;
  auto const send = [&](std::string key) {
    harness->store().commit({.compares = {}, .operations = {put(key, "1")}}, soon,
                            [&ends, key](auto answer) { ends.emplace_back(key, answer ? Code::Internal : answer.error().code); });
  };
  send("begun");
  first_write.await_begin();
  send("waiting");
  harness->store().range({}, soon, [&](auto answer) { ends.emplace_back("read", answer.error().code); });
  ASSERT_TRUE(harness->run_until([&] { return ends.size() == 3; }));
  EXPECT_THAT(
      ends, ElementsAre(std::pair("begun", Code::UnknownOutcome), std::pair("waiting", Code::Deadline), std::pair("read", Code::Deadline)));
  first_write.go_on();
  EXPECT_THAT(client.keys(), ElementsAre("begun"));
  EXPECT_EQ(ends.size(), 3u);
}

}  // namespace
}  // namespace davit::conformance
