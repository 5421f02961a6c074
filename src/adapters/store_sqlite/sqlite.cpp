#include "adapters/store_sqlite/sqlite.hpp"

#include <cerrno>
#include <cstring>

#include <fmt/core.h>
#include <sqlite3.h>

#include "base/check.hpp"

namespace davit::store_sqlite {
namespace {

constexpr int kBusyTimeoutMs = 5000;  // a backup in another process holds its locks for moments only

bool is_out_of_space(sqlite3* database, int primary) {
  if (primary == SQLITE_FULL) return true;
  if (primary != SQLITE_IOERR && primary != SQLITE_CANTOPEN) return false;
  int const reason = sqlite3_system_errno(database);
  return reason == ENOSPC || reason == EDQUOT;
}

Error error_of(sqlite3* database, std::filesystem::path const& file) {
  int const primary = sqlite3_errcode(database) & 0xff;
  if (is_out_of_space(database, primary))
    return {Code::Full, fmt::format("no space left under {}: free some space; running services go on", file.parent_path().string()), {}};
  if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB) return damaged(file, sqlite3_errmsg(database)).error();
  std::string message = fmt::format("the store {}: {}", file.string(), sqlite3_errmsg(database));
  if (int const reason = sqlite3_system_errno(database); primary == SQLITE_IOERR && reason != 0)
    message += fmt::format(" ({})", std::strerror(reason));
  return {Code::Unavailable, std::move(message), {}};
}

// As SQLite's URIs want it: what could end the path is escaped.
std::string uri_of(std::filesystem::path const& file) {
  std::string uri = "file:";
  for (char const c : std::filesystem::absolute(file).string()) {
    if (c == '?' || c == '#' || c == '%') uri += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    else uri += c;
  }
  return uri;
}

}  // namespace

std::unexpected<Error> damaged(std::filesystem::path const& file, std::string_view why) {
  return fail(Code::Internal,
              fmt::format("the store {} is damaged ({}); nothing in it was changed: restore it from a backup with `davit store restore`",
                          file.string(), why));
}

void Statement::Close::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Statement& Statement::bind(int index, std::string_view bytes) {
  // A null pointer would bind NULL in place of the empty string.
  int const rc = sqlite3_bind_blob64(statement_.get(), index, bytes.empty() ? "" : bytes.data(), bytes.size(), SQLITE_STATIC);
  CHECK(rc == SQLITE_OK, "bind {}: {}", index, rc);
  return *this;
}

Statement& Statement::bind(int index, std::int64_t number) {
  int const rc = sqlite3_bind_int64(statement_.get(), index, number);
  CHECK(rc == SQLITE_OK, "bind {}: {}", index, rc);
  return *this;
}

Result<bool> Statement::step() {
  int const rc = sqlite3_step(statement_.get());
  if (rc == SQLITE_ROW) return true;
  if (rc == SQLITE_DONE) {
    reset();
    return false;
  }
  auto error = error_of(sqlite3_db_handle(statement_.get()), file_);
  reset();
  return std::unexpected(std::move(error));
}

Status Statement::run() {
  for (;;) {
    TRY(bool const row, step());
    if (!row) return {};
  }
}

std::int64_t Statement::number(int column) const { return sqlite3_column_int64(statement_.get(), column); }

std::string Statement::bytes(int column) const {
  auto const* data = static_cast<char const*>(sqlite3_column_blob(statement_.get(), column));
  return data ? std::string(data, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))) : std::string();
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

void Database::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

Result<Database> Database::open(std::filesystem::path const& file, Access access) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI;
  std::string name = uri_of(file);
  switch (access) {
    case Access::Immutable:
      flags |= SQLITE_OPEN_READONLY;
      name += "?immutable=1";
      break;
    case Access::ReadOnly: flags |= SQLITE_OPEN_READONLY; break;
    case Access::ReadWrite: flags |= SQLITE_OPEN_READWRITE; break;
    case Access::Create: flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE; break;
  }
  sqlite3* handle = nullptr;
  int const rc = sqlite3_open_v2(name.c_str(), &handle, flags, nullptr);
  CHECK(handle != nullptr, "no memory to open {}", name);
  Database database(handle, file);
  if (rc != SQLITE_OK) return std::unexpected(database.last_error());
  if (access == Access::Create) {
    // Secrets are in it. SQLite gives the log and the index the same permissions.
    std::error_code error;
    std::filesystem::permissions(file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, error);
    if (error) return fail(Code::Unavailable, fmt::format("cannot protect the store {}: {}", file.string(), error.message()));
  }
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  return database;
}

Result<Statement> Database::prepare(std::string_view sql) const {
  sqlite3_stmt* statement = nullptr;
  int const rc = sqlite3_prepare_v3(handle(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (rc != SQLITE_OK) return std::unexpected(last_error());
  return Statement(statement, file_);
}

Status Database::execute(std::string const& sql) {
  if (sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return std::unexpected(last_error());
}

Result<std::string> Database::read_text(std::string_view sql) const {
  TRY(auto statement, prepare(sql));
  TRY(bool const row, statement.step());
  return row ? statement.bytes(0) : std::string();
}

Result<std::int64_t> Database::read_number(std::string_view sql) const {
  TRY(auto statement, prepare(sql));
  TRY(bool const row, statement.step());
  return row ? statement.number(0) : 0;
}

bool Database::in_transaction() const { return sqlite3_get_autocommit(handle()) == 0; }

void Database::keep_log_on_close() { sqlite3_db_config(handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr); }

bool Database::last_write_was_refused() const { return (sqlite3_errcode(handle()) & 0xff) == SQLITE_FULL; }

Error Database::last_error() const { return error_of(handle(), file_); }

}  // namespace davit::store_sqlite
