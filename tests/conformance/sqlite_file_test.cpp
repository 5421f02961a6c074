// What the SQLite store promises of its file: what survives, what is refused untouched, a full disk, backup and restore.
#include <fstream>
#include <iterator>

#include <sys/mount.h>

#include <fmt/core.h>
#include <gmock/gmock.h>

#include "adapters/store_sqlite/backup.hpp"
#include "adapters/store_sqlite/sqlite.hpp"
#include "adapters/store_sqlite/sqlite_store.hpp"
#include "conformance/store_harness.hpp"
#include "runtime/asio_loop.hpp"

namespace davit::conformance {
namespace {

namespace fs = std::filesystem;
using store_sqlite::Database;
using store_sqlite::SqliteStore;
using testing::ElementsAre;
using testing::HasSubstr;

std::string read_file(fs::path const& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}
void write_file(fs::path const& file, std::string_view bytes) {
  std::ofstream stream(file, std::ios::binary | std::ios::trunc);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

class SqliteFile : public testing::Test {
 protected:
  TemporaryFolder folder;
  fs::path const file = folder.path() / "store.db";

  void fill(fs::path const& store, int keys) {
    auto const harness = make_sqlite_harness(store);
    StoreClient client(*harness);
    for (int i = 0; i < keys; ++i) ASSERT_TRUE(client.write({put(fmt::format("k{:04}", i), std::string(500, 'v'))}).has_value());
  }
  static Error refusal_of(fs::path const& store) {
    runtime::AsioLoop loop;
    auto opened = SqliteStore::open(loop, store);
    EXPECT_FALSE(opened.has_value()) << "was opened";
    return opened ? Error{} : opened.error();
  }
  // Opening must fail, name the file and the way out, and leave every byte as it was.
  void expect_untouched_refusal(Code code, std::string const& why) {
    auto const bytes = read_file(file);
    auto const log = read_file(file.string() + "-wal");
    auto const error = refusal_of(file);
    EXPECT_EQ(error.code, code);
    EXPECT_THAT(error.message, HasSubstr(file.string()));
    EXPECT_THAT(error.message, HasSubstr(why));
    EXPECT_THAT(error.message, HasSubstr("davit store restore"));
    EXPECT_TRUE(bytes == read_file(file)) << "the file was changed";
    EXPECT_TRUE(log == read_file(file.string() + "-wal")) << "the log was changed";
  }
};

TEST_F(SqliteFile, is_readable_by_its_owner_only_as_are_its_log_and_its_backup) {
  auto const harness = make_sqlite_harness(file);
  StoreClient client(*harness);
  ASSERT_TRUE(client.write({put("secret", "")}).has_value());
  auto const copy = folder.path() / "copy.db";
  ASSERT_TRUE(store_sqlite::backup(file, copy).has_value());
  for (auto const& path : {file, fs::path(file.string() + "-wal"), copy})
    EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write) << path;
}

TEST_F(SqliteFile, keeps_keys_and_revision_over_a_reopening) {
  fill(file, 10);
  auto const harness = make_sqlite_harness(file);
  StoreClient client(*harness);
  EXPECT_EQ(client.revision(), 11);
  EXPECT_EQ(client.keys().size(), 10u);
  EXPECT_EQ(client.write({put("next", "")})->revision, 12);
}

TEST_F(SqliteFile, says_that_it_does_not_know_what_was_before_the_opening) {
  fill(file, 5);
  auto const harness = make_sqlite_harness(file);
  StoreClient client(*harness);
  WatchRecord const old(*harness, "", 3);
  WatchRecord const present(*harness, "", 7);
  ASSERT_TRUE(client.write({put("a", "1")}).has_value());
  client.revision();
  EXPECT_THAT(old.lines(), ElementsAre("compacted"));
  EXPECT_THAT(present.lines(), ElementsAre("7 a=1"));
  EXPECT_EQ(client.range({.revision = 3}).error().code, Code::Stale);
  EXPECT_THAT(client.keys({.revision = 6, .after = "k0003"}), ElementsAre("k0004"));
}

TEST_F(SqliteFile, forgets_the_oldest_changes_beyond_its_limits) {
  runtime::AsioLoop loop;
  auto store = SqliteStore::open(loop, file, {.history = {.changes = 10, .bytes = 1 << 20}});
  ASSERT_TRUE(store.has_value());
  int answered = 0;
  for (int i = 0; i < 30; ++i)
    (*store)->commit({.compares = {}, .operations = {put("a", std::to_string(i))}}, kNever, [&](auto) { ++answered; });
  ASSERT_TRUE(loop.run_until([&] { return answered == 30; }, 30s));
  bool compacted = false;
  std::vector<std::int64_t> revisions;
  auto const lost = (*store)->watch("", 2, [&](auto const& batch) { compacted = batch.compacted; });
  auto const kept = (*store)->watch("", 22, [&](auto const& batch) { revisions.push_back(batch.revision); });
  ASSERT_TRUE(loop.run_until([&] { return compacted && revisions.size() == 10; }, 30s));
}

TEST_F(SqliteFile, drops_leased_keys_when_opened_and_never_gives_a_lease_twice) {
  std::int64_t first_lease = 0;
  {
    auto const harness = make_sqlite_harness(file);
    StoreClient client(*harness);
    first_lease = client.grant_lease(3s)->lease;
    ASSERT_TRUE(client.write({put("leased", "", first_lease), put("free", "")}).has_value());
  }
  auto const harness = make_sqlite_harness(file);
  StoreClient client(*harness);
  EXPECT_THAT(client.keys(), ElementsAre("free"));
  EXPECT_EQ(client.revision(), 3);
  EXPECT_EQ(client.renew_lease(first_lease).error().code, Code::NotFound);
  EXPECT_GT(client.grant_lease(3s)->lease, first_lease);
}

TEST_F(SqliteFile, refuses_a_file_that_is_no_database) {
  write_file(file, std::string(5000, 'x'));
  expect_untouched_refusal(Code::Internal, "file is not a database");
}

TEST_F(SqliteFile, refuses_a_file_that_is_cut_off) {
  write_file(file, "");
  expect_untouched_refusal(Code::Internal, "cut off");
  fill(folder.path() / "whole.db", 200);
  auto const whole = read_file(folder.path() / "whole.db");
  write_file(file, std::string_view(whole).substr(0, whole.size() / 2));
  expect_untouched_refusal(Code::Internal, "damaged");
}

TEST_F(SqliteFile, refuses_a_log_whose_file_is_gone) {
  write_file(file.string() + "-wal", "something");
  expect_untouched_refusal(Code::Internal, "only its write-ahead log is there");
}

TEST_F(SqliteFile, refuses_damage_anywhere_in_the_tree) {
  fill(file, 200);
  auto const whole = read_file(file);
  constexpr std::size_t kPage = 4096;
  ASSERT_GT(whole.size(), 8 * kPage);
  int refused = 0;
  int const pages = static_cast<int>(whole.size() / kPage);
  for (int page = 1; page < pages; ++page) {
    auto broken = whole;
    broken.replace(static_cast<std::size_t>(page) * kPage, 64, std::string(64, '\xa5'));
    write_file(file, broken);
    expect_untouched_refusal(Code::Internal, "damaged");
    ++refused;
  }
  EXPECT_EQ(refused, pages - 1);
}

TEST_F(SqliteFile, refuses_a_newer_format_also_when_only_the_log_knows) {
  fill(file, 3);
  {
    auto database = Database::open(file, Database::Access::ReadWrite);
    ASSERT_TRUE(database.has_value());
    database->keep_log_on_close();
    ASSERT_TRUE(database->execute("PRAGMA user_version = 2").has_value());
  }
  ASSERT_TRUE(fs::file_size(file.string() + "-wal") > 0);
  expect_untouched_refusal(Code::Unsupported, "format 2");
  {
    auto database = Database::open(file, Database::Access::ReadWrite);
    ASSERT_TRUE(database.has_value() && database->execute("PRAGMA wal_checkpoint(TRUNCATE)").has_value());
  }
  expect_untouched_refusal(Code::Unsupported, "format 2");
}

TEST_F(SqliteFile, refuses_the_database_of_another_program) {
  {
    auto database = Database::open(file, Database::Access::Create);
    ASSERT_TRUE(database.has_value() && database->execute("CREATE TABLE t(x)").has_value());
  }
  expect_untouched_refusal(Code::Invalid, "no store of davit");
}

// A file system so small that it fills up. Needs root.
class SmallDisk {
 public:
  explicit SmallDisk(fs::path mount_point) : path_(std::move(mount_point)) {
    fs::create_directories(path_);
    mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=3m") == 0;
  }
  SmallDisk(SmallDisk const&) = delete;
  SmallDisk& operator=(SmallDisk const&) = delete;
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  bool is_mounted() const { return mounted_; }
  fs::path const& path() const { return path_; }
  void fill_up() {
    std::ofstream ballast(path_ / "ballast", std::ios::binary);
    std::string const block(4096, 'b');
    while (ballast.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
  }
  void free_space() { fs::remove(path_ / "ballast"); }

 private:
  fs::path path_;
  bool mounted_ = false;
};

TEST_F(SqliteFile, says_full_on_a_full_disk_goes_on_reading_and_recovers) {
  SmallDisk disk(folder.path() / "disk");
  if (!disk.is_mounted()) GTEST_SKIP() << "NOT TESTED: a full disk, because mounting a small tmpfs needs root";
  auto const store = disk.path() / "store.db";
  {
    auto const harness = make_sqlite_harness(store);
    StoreClient client(*harness);
    int written = 0;
    for (int round = 0; round < 3; ++round) {
      ASSERT_TRUE(client.write({put(fmt::format("before{}", round), "1")}).has_value());
      ++written;
      disk.fill_up();
      Result<ports::Committed> answer;
      // Some pages of the log may have been reserved before: write until none are left.
      for (int i = 0; i < 200 && answer; ++i) {
        answer = client.write({put(fmt::format("k{}-{}", round, i), std::string(20'000, 'x'))});
        written += answer.has_value();
      }
      ASSERT_FALSE(answer.has_value()) << "the disk never became full";
      EXPECT_EQ(answer.error().code, Code::Full) << answer.error().message;
      EXPECT_EQ(answer.error().message,
                fmt::format("no space left under {}: free some space; running services go on", disk.path().string()));
      EXPECT_EQ(client.keys().size(), static_cast<std::size_t>(written));
      EXPECT_EQ(client.revision(), written + 1);
      disk.free_space();
    }
    EXPECT_EQ(client.write({put("after", "1")})->revision, written + 2);
  }
  auto const harness = make_sqlite_harness(store);  // checks the file's integrity
  StoreClient client(*harness);
  EXPECT_TRUE(client.get("after").has_value());
  EXPECT_TRUE(client.get("before0").has_value());
}

class SqliteBackup : public SqliteFile {
 protected:
  fs::path const copy = folder.path() / "copy.db";
  fs::path const restored = folder.path() / "new" / "store.db";

  void SetUp() override { fs::create_directories(restored.parent_path()); }
  static store_sqlite::RestoreOptions with_new_era(bool force = false) {
    return {.force = force, .raise_era = [](std::string value) -> Result<std::string> { return value + "+1"; }};
  }
  // Only what should be there is there: no half-made copies, no side files.
  static std::vector<std::string> files_in(fs::path const& path) {
    std::vector<std::string> names;
    for (auto const& entry : fs::directory_iterator(path)) names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    return names;
  }
};

TEST_F(SqliteBackup, comes_back_with_everything_and_a_new_era) {
  auto const harness = make_sqlite_harness(file);
  StoreClient client(*harness);
  ASSERT_TRUE(client.write({put("davit/v1/cluster", "era 1"), put("a", "1")}).has_value());
  ASSERT_TRUE(client.write({put("a", "2")}).has_value());
  auto const report = store_sqlite::backup(file, copy);  // while the store is open and the changes are only in its log
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_EQ(report->revision, 3);
  EXPECT_EQ(report->keys, 2);
  EXPECT_EQ(report->size_bytes, static_cast<std::int64_t>(fs::file_size(copy)));
  ASSERT_TRUE(client.write({put("a", "3")}).has_value());

  auto const done = store_sqlite::restore(copy, restored, with_new_era());
  ASSERT_TRUE(done.has_value()) << done.error().message;
  EXPECT_EQ(done->revision, 4);
  EXPECT_TRUE(done->kept_aside.empty());
  EXPECT_THAT(files_in(restored.parent_path()), ElementsAre("store.db"));
  auto const second = make_sqlite_harness(restored);
  StoreClient restored_client(*second);
  EXPECT_EQ(restored_client.get("davit/v1/cluster"), (ports::KeyValue{"davit/v1/cluster", "era 1+1", 2, 4, 2, 0}));
  EXPECT_EQ(restored_client.get("a")->value, "2");
  EXPECT_EQ(restored_client.write({put("a", "4")})->revision, 5);
}

TEST_F(SqliteBackup, never_overwrites_a_file) {
  fill(file, 1);
  write_file(copy, "precious");
  EXPECT_EQ(store_sqlite::backup(file, copy).error().code, Code::Exists);
  EXPECT_EQ(read_file(copy), "precious");
  EXPECT_EQ(store_sqlite::backup(folder.path() / "none.db", folder.path() / "x").error().code, Code::NotFound);
}

TEST_F(SqliteBackup, keeps_nothing_of_a_damaged_store) {
  fill(file, 200);
  auto bytes = read_file(file);
  bytes.replace(3 * 4096, 64, std::string(64, '\xa5'));
  write_file(file, bytes);
  auto const report = store_sqlite::backup(file, copy);
  ASSERT_FALSE(report.has_value());
  EXPECT_FALSE(fs::exists(copy));
  EXPECT_FALSE(fs::exists(copy.string() + ".unfinished"));
}

TEST_F(SqliteBackup, replaces_a_store_only_by_force_and_keeps_the_old_one) {
  {
    auto const harness = make_sqlite_harness(file);
    ASSERT_TRUE(StoreClient(*harness).write({put("davit/v1/cluster", "era 1")}).has_value());
  }
  ASSERT_TRUE(store_sqlite::backup(file, copy).has_value());
  fill(restored, 2);
  auto const old = read_file(restored);
  auto const refused = store_sqlite::restore(copy, restored, with_new_era());
  EXPECT_EQ(refused.error().code, Code::Exists);
  EXPECT_THAT(refused.error().message, HasSubstr("--force"));
  EXPECT_TRUE(read_file(restored) == old);

  for (auto const* aside : {"store.db.before-restore", "store.db.before-restore-2"}) {
    auto const done = store_sqlite::restore(copy, restored, with_new_era(true));
    ASSERT_TRUE(done.has_value()) << done.error().message;
    EXPECT_EQ(done->kept_aside.filename(), aside);
  }
  EXPECT_TRUE(read_file(restored.string() + ".before-restore") == old);
  auto const harness = make_sqlite_harness(restored);
  EXPECT_EQ(StoreClient(*harness).get("davit/v1/cluster")->value, "era 1+1");
}

TEST_F(SqliteBackup, replaces_a_damaged_store_together_with_its_log) {
  {
    auto const harness = make_sqlite_harness(file);
    ASSERT_TRUE(StoreClient(*harness).write({put("davit/v1/cluster", "era 1")}).has_value());
  }
  ASSERT_TRUE(store_sqlite::backup(file, copy).has_value());
  write_file(restored, "damaged");
  write_file(restored.string() + "-wal", "its log");
  ASSERT_TRUE(store_sqlite::restore(copy, restored, with_new_era(true)).has_value());
  EXPECT_EQ(read_file(restored.string() + ".before-restore"), "damaged");
  EXPECT_EQ(read_file(restored.string() + ".before-restore-wal"), "its log");
  auto const harness = make_sqlite_harness(restored);
  EXPECT_EQ(StoreClient(*harness).get("davit/v1/cluster")->value, "era 1+1");
}

TEST_F(SqliteBackup, changes_nothing_when_the_source_is_bad_or_the_era_cannot_be_raised) {
  write_file(copy, std::string(5000, 'x'));
  EXPECT_EQ(store_sqlite::restore(copy, restored, with_new_era()).error().code, Code::Internal);
  EXPECT_EQ(store_sqlite::restore(folder.path() / "none", restored, with_new_era()).error().code, Code::NotFound);
  fill(file, 1);
  EXPECT_THAT(store_sqlite::restore(file, restored, with_new_era()).error().message, HasSubstr("holds no davit/v1/cluster"));
  EXPECT_TRUE(files_in(restored.parent_path()).empty());
}

}  // namespace
}  // namespace davit::conformance
