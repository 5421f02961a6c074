#include "adapters/store_sqlite/file_format.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/core.h>

namespace davit::store_sqlite {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kApplicationId = 0x44415654;  // "DAVT"
constexpr std::int64_t kFormat = 1;

// Of SQLite's file header (https://www.sqlite.org/fileformat2.html §1.3).
constexpr std::size_t kHeaderSize = 100;
constexpr std::string_view kMagic{"SQLite format 3\0", 16};
constexpr std::size_t kUserVersionOffset = 60;
constexpr std::size_t kApplicationIdOffset = 68;

constexpr std::string_view kSchema = R"sql(
  CREATE TABLE meta(name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE kv(
    key BLOB NOT NULL PRIMARY KEY, value BLOB NOT NULL, create_revision INTEGER NOT NULL, mod_revision INTEGER NOT NULL,
    version INTEGER NOT NULL, lease INTEGER NOT NULL);
  CREATE INDEX kv_lease ON kv(lease) WHERE lease <> 0;
)sql";

Status check_numbers(fs::path const& file, std::int64_t application_id, std::int64_t format) {
  if (application_id != kApplicationId)
    return fail(Code::Invalid, fmt::format("{} is an SQLite database, but no store of davit; nothing in it was changed: give davit another "
                                           "data directory, or restore a backup with `davit store restore`",
                                           file.string()));
  if (format > kFormat)
    return fail(Code::Unsupported, fmt::format("the store {} has format {}, and this davit knows formats up to {}; nothing in it was "
                                               "changed: run the davit that wrote it, or restore a backup of an older one with "
                                               "`davit store restore`",
                                               file.string(), format, kFormat));
  return {};
}

std::int64_t big_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (char const c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

// Without SQLite, because even its read-only mode may make side files.
Status check_header(fs::path const& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return fail(Code::Unavailable, fmt::format("cannot read the store {}: {}", file.string(), std::strerror(errno)));
  std::array<char, kHeaderSize> header{};
  stream.read(header.data(), header.size());
  if (stream.gcount() != static_cast<std::streamsize>(header.size())) return damaged(file, "it is cut off");
  std::string_view const bytes(header.data(), header.size());
  if (!bytes.starts_with(kMagic)) return damaged(file, "file is not a database");
  return check_numbers(file, big_endian(bytes.substr(kApplicationIdOffset, 4)), big_endian(bytes.substr(kUserVersionOffset, 4)));
}

Status sync_path(fs::path const& path, int flags) {
  int const fd = ::open(path.c_str(), flags | O_CLOEXEC);
  bool const synced = fd >= 0 && ::fsync(fd) == 0;
  int const reason = errno;
  if (fd >= 0) ::close(fd);
  if (synced) return {};
  return fail(reason == ENOSPC ? Code::Full : Code::Unavailable,
              fmt::format("cannot write {} to disk: {}", path.string(), std::strerror(reason)));
}

}  // namespace

bool is_there(fs::path const& file) {
  std::error_code error;
  return fs::exists(file, error);
}

bool has_content(fs::path const& file) {
  std::error_code error;
  auto const size = fs::file_size(file, error);
  return !error && size > 0;
}

fs::path log_of(fs::path const& file) { return file.string() + "-wal"; }

Status check_identity(Database const& database) {
  TRY(auto const application_id, database.read_number("PRAGMA application_id"));
  TRY(auto const format, database.read_number("PRAGMA user_version"));
  return check_numbers(database.file(), application_id, format);
}

Status check_integrity(Database const& database, Depth depth) {
  TRY(auto const verdict, database.read_text(depth == Depth::Full ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)"));
  if (verdict != "ok") return damaged(database.file(), verdict);
  return {};
}

Result<Found> inspect(fs::path const& file, Depth depth) {
  bool const has_log = has_content(log_of(file));
  if (!is_there(file)) {
    if (has_log) return damaged(file, "only its write-ahead log is there");
    return Found::Nothing;
  }
  TRY_VOID(check_header(file));
  TRY(auto database, Database::open(file, has_log ? Database::Access::ReadOnly : Database::Access::Immutable));
  database.keep_log_on_close();
  TRY_VOID(check_identity(database));
  TRY_VOID(check_integrity(database, depth));
  return Found::Store;
}

Status create(fs::path const& file) {
  fs::path const unfinished = file.string() + ".new";
  remove_with_side_files(unfinished);
  {
    TRY(auto database, Database::open(unfinished, Database::Access::Create));
    // The mode is part of the file. Set here, a crash can never leave a rollback journal beside a store.
    TRY_VOID(database.execute("PRAGMA journal_mode = WAL"));
    TRY_VOID(
        database.execute(fmt::format("BEGIN; PRAGMA application_id = {}; PRAGMA user_version = {}; {}"
                                     "INSERT INTO meta VALUES ('revision', {}), ('lives', 0); COMMIT",
                                     kApplicationId, kFormat, kSchema, kFirstRevision)));
  }
  std::error_code error;
  fs::rename(unfinished, file, error);
  if (error) return fail(Code::Unavailable, fmt::format("cannot create the store {}: {}", file.string(), error.message()));
  return sync_to_disk(file);
}

Result<Database> open_for_work(fs::path const& file) {
  TRY(auto database, Database::open(file, Database::Access::ReadWrite));
  TRY(auto const mode, database.read_text("PRAGMA journal_mode = WAL"));
  if (mode != "wal") return fail(Code::Unavailable, fmt::format("the store {} cannot use a write-ahead log here", file.string()));
  TRY_VOID(
      database.execute("PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON;"
                       "PRAGMA journal_size_limit = 67108864"));
  return database;
}

Status sync_to_disk(fs::path const& file) {
  TRY_VOID(sync_path(file, O_RDONLY));
  auto const folder = file.parent_path();
  return sync_path(folder.empty() ? fs::path(".") : folder, O_RDONLY | O_DIRECTORY);
}

void remove_with_side_files(fs::path const& file) {
  std::error_code ignored;
  for (auto const* suffix : {"", "-wal", "-shm", "-journal"}) fs::remove(file.string() + suffix, ignored);
}

}  // namespace davit::store_sqlite
