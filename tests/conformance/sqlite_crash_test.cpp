// A store whose process is killed while it commits: every commit that was acknowledged is there afterwards.
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <functional>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "adapters/store_sqlite/sqlite_store.hpp"
#include "conformance/store_harness.hpp"
#include "runtime/asio_loop.hpp"

namespace davit::conformance {
namespace {

constexpr std::int64_t kInFlight = 32;

std::string key_of(std::int64_t number) { return fmt::format("k{:08}", number); }

// Commits without end and writes the number of each acknowledged commit to the pipe.
[[noreturn]] void commit_for_ever(std::filesystem::path const& file, std::int64_t first, int pipe) {
  runtime::AsioLoop loop;
  auto const store = store_sqlite::SqliteStore::open(loop, file);
  if (!store) ::_exit(1);
  std::int64_t next = first;
  std::function<void()> send = [&] {
    auto const number = next++;
    ports::Commit commit{.compares = {version_is(key_of(number), 0)},
                         .operations = {put(key_of(number), std::string(300, 'v')), put("last", std::to_string(number))}};
    (*store)->commit(std::move(commit), kNever, [&, number](auto answer) {
      if (!answer || !answer->succeeded || ::write(pipe, &number, sizeof number) != sizeof number) ::_exit(2);
      send();
    });
  };
  for (std::int64_t i = 0; i < kInFlight; ++i) send();
  loop.run();
  ::_exit(3);
}

// The acknowledged numbers of one life that was killed after `wanted` of them.
std::vector<std::int64_t> run_and_kill(std::filesystem::path const& file, std::int64_t first, std::size_t wanted) {
  int ends[2];
  if (::pipe(ends) != 0) return {};
  pid_t const child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    commit_for_ever(file, first, ends[1]);
  }
  ::close(ends[1]);
  std::vector<std::int64_t> acknowledged;
  std::int64_t number = 0;
  // After the kill, what it had still written is read to the end of the pipe.
  while (::read(ends[0], &number, sizeof number) == sizeof number) {
    acknowledged.push_back(number);
    if (acknowledged.size() == wanted) ::kill(child, SIGKILL);
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the child ended by itself: " << status;
  return acknowledged;
}

TEST(SqliteCrash, loses_no_acknowledged_commit_when_killed_while_committing) {
  TemporaryFolder const folder;
  auto const file = folder.path() / "store.db";
  std::vector<std::int64_t> acknowledged;
  for (std::size_t const wanted : {1u, 100u, 700u, 1500u}) {
    auto const first = acknowledged.empty() ? 0 : acknowledged.back() + kInFlight + 1;
    auto const more = run_and_kill(file, first, wanted);
    ASSERT_GE(more.size(), wanted);
    acknowledged.insert(acknowledged.end(), more.begin(), more.end());

    auto const harness = make_sqlite_harness(file);  // checks the file's integrity
    StoreClient client(*harness);
    auto const all = client.range({.prefix = "k"});
    ASSERT_TRUE(all.has_value());
    std::size_t found = 0;
    for (auto const& item : all->items)
      if (found < acknowledged.size() && item.key == key_of(acknowledged[found])) ++found;
    EXPECT_EQ(found, acknowledged.size()) << "lost " << key_of(acknowledged[std::min(found, acknowledged.size() - 1)]);
    // Commits are whole and in order: "last" was written with the last key that is there, and each made one revision.
    EXPECT_EQ(key_of(std::stoll(client.get("last")->value)), all->items.back().key);
    EXPECT_EQ(client.revision(), static_cast<std::int64_t>(all->items.size()) + 1);
  }
}

}  // namespace
}  // namespace davit::conformance
