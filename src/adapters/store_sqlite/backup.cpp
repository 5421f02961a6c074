#include "adapters/store_sqlite/backup.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>

#include <fmt/core.h>
#include <sqlite3.h>

#include "adapters/store_sqlite/file_format.hpp"
#include "adapters/store_sqlite/tables.hpp"
#include "base/check.hpp"

namespace davit::store_sqlite {
namespace {

namespace fs = std::filesystem;

// Removes an unfinished copy unless it was renamed.
class Unfinished {
 public:
  explicit Unfinished(fs::path file) : file_(std::move(file)) { remove_with_side_files(file_); }
  Unfinished(Unfinished const&) = delete;
  Unfinished& operator=(Unfinished const&) = delete;
  ~Unfinished() { remove_with_side_files(file_); }
  fs::path const& file() const { return file_; }

 private:
  fs::path file_;
};

Result<std::int64_t> read_revision(Database const& database) {
  return database.read_number("SELECT value FROM meta WHERE name = 'revision'");
}

// All pages of one moment of `source`, through SQLite, so that what is only in its log is there too.
Result<std::int64_t> copy_pages(fs::path const& source, Database::Access access, fs::path const& copy) {
  TRY(auto from, Database::open(source, access));
  TRY_VOID(check_identity(from));
  TRY_VOID(from.execute("BEGIN"));
  TRY(auto const revision, read_revision(from));  // begins the read that the copy is made of

  TRY(auto to, Database::open(copy, Database::Access::Create));
  auto* const backup = sqlite3_backup_init(to.handle(), "main", from.handle(), "main");
  if (!backup) return std::unexpected(to.last_error());
  int const rc = sqlite3_backup_step(backup, -1);
  sqlite3_backup_finish(backup);  // gives `to` the error of the step
  if (rc != SQLITE_DONE) return std::unexpected(to.last_error());
  return revision;
}

struct Content {
  std::int64_t revision = 0;
  std::int64_t keys = 0;
};

Result<Content> verify(fs::path const& file) {
  TRY(auto const found, inspect(file, Depth::Full));
  CHECK(found == Found::Store);
  if (has_content(log_of(file))) return fail(Code::Unavailable, fmt::format("{} could not be completed from its log", file.string()));
  TRY(auto database, Database::open(file, Database::Access::Immutable));
  TRY(auto const revision, read_revision(database));
  TRY(auto const keys, database.read_number("SELECT count(*) FROM kv"));
  return Content{.revision = revision, .keys = keys};
}

Status rename_to_new_name(fs::path const& from, fs::path const& to) {
  int reason = ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0 ? 0 : errno;
  // Not every file system knows the flag.
  if (reason == EINVAL && !is_there(to)) reason = std::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
  if (reason == 0) return {};
  return fail(reason == EEXIST ? Code::Exists : Code::Unavailable,
              fmt::format("cannot rename {} to {}: {}", from.string(), to.string(), std::strerror(reason)));
}

Status raise_era(fs::path const& file, RestoreOptions const& options) {
  TRY(auto database, open_for_work(file));
  TRY(auto tables, Tables::open(std::move(database)));
  TRY(auto item, tables.get(options.cluster_key));
  if (!item)
    return fail(Code::Invalid, fmt::format("the backup holds no {}: it was made before davit first ran on it", options.cluster_key));
  TRY(item->value, options.raise_era(std::move(item->value)));
  TRY(auto const revision, tables.revision());
  item->mod_revision = revision + 1;
  item->version += 1;
  TRY_VOID(tables.begin());
  TRY_VOID(tables.put(*item));
  TRY_VOID(tables.set_revision(revision + 1));
  return tables.commit();
}

fs::path free_name_aside(fs::path const& store) {
  for (int n = 1;; ++n) {
    fs::path name = fmt::format("{}.before-restore{}", store.string(), n == 1 ? "" : fmt::format("-{}", n));
    if (!is_there(name) && !is_there(log_of(name))) return name;
  }
}

// The file before its log: a log without its file is refused at the next start, a file without its log would lose writes unseen.
Result<fs::path> put_aside(fs::path const& store) {
  fs::path const aside = free_name_aside(store);
  if (is_there(store)) TRY_VOID(rename_to_new_name(store, aside));
  if (is_there(log_of(store))) TRY_VOID(rename_to_new_name(log_of(store), log_of(aside)));
  remove_with_side_files(store);
  return aside;
}

}  // namespace

Result<BackupReport> backup(fs::path const& store, fs::path const& destination) {
  if (!is_there(store)) return fail(Code::NotFound, fmt::format("there is no store {}", store.string()));
  if (is_there(destination))
    return fail(Code::Exists, fmt::format("{} exists already: name a new file for the backup", destination.string()));
  Unfinished const copy(destination.string() + ".unfinished");
  TRY(auto const revision, copy_pages(store, Database::Access::ReadOnly, copy.file()));
  auto const content = verify(copy.file());
  if (!content) return fail(content.error().code, fmt::format("no backup was made: {}", content.error().message));
  if (content->revision != revision)
    return fail(Code::Internal, fmt::format("the copy is at revision {} and not at {}: nothing was kept", content->revision, revision));
  TRY_VOID(sync_to_disk(copy.file()));
  TRY_VOID(rename_to_new_name(copy.file(), destination));
  TRY_VOID(sync_to_disk(destination));
  std::error_code ignored;
  auto const size = fs::file_size(destination, ignored);
  return BackupReport{
      .file = destination, .revision = content->revision, .keys = content->keys, .size_bytes = static_cast<std::int64_t>(size)};
}

Result<RestoreReport> restore(fs::path const& source, fs::path const& store, RestoreOptions const& options) {
  CHECK(options.raise_era != nullptr, "a restored store needs a new era");
  bool const has_store = is_there(store) || is_there(log_of(store));
  if (has_store && !options.force)
    return fail(Code::Exists, fmt::format("{} holds a store already: repeat with --force to replace it (it is kept beside the new one)",
                                          store.parent_path().string()));
  TRY(auto const found, inspect(source, Depth::Full));
  if (found == Found::Nothing) return fail(Code::NotFound, fmt::format("there is no backup {}", source.string()));

  Unfinished const copy(store.string() + ".restoring");
  TRY_VOID(copy_pages(source, is_there(log_of(source)) ? Database::Access::ReadOnly : Database::Access::Immutable, copy.file()));
  TRY_VOID(raise_era(copy.file(), options));
  TRY(auto const content, verify(copy.file()));
  TRY_VOID(sync_to_disk(copy.file()));

  RestoreReport report{.revision = content.revision, .keys = content.keys, .kept_aside = {}};
  if (has_store) {
    TRY(report.kept_aside, put_aside(store));
  }
  TRY_VOID(rename_to_new_name(copy.file(), store));
  TRY_VOID(sync_to_disk(store));
  return report;
}

}  // namespace davit::store_sqlite
