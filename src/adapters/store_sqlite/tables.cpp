#include "adapters/store_sqlite/tables.hpp"

#include <fmt/core.h>

namespace davit::store_sqlite {
namespace {

ports::KeyValue read_row(Statement const& row) {
  return {.key = row.bytes(0),
          .value = row.bytes(1),
          .create_revision = row.number(2),
          .mod_revision = row.number(3),
          .version = row.number(4),
          .lease = row.number(5)};
}

}  // namespace

Result<Tables> Tables::open(Database database) {
  TRY(auto numbers, database.prepare("SELECT create_revision, mod_revision, version FROM kv WHERE key = ?1"));
  TRY(auto get, database.prepare("SELECT key, value, create_revision, mod_revision, version, lease FROM kv WHERE key = ?1"));
  TRY(auto put, database.prepare("INSERT INTO kv VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (key) DO UPDATE SET value = ?2, "
                                 "create_revision = ?3, mod_revision = ?4, version = ?5, lease = ?6"));
  TRY(auto erase, database.prepare("DELETE FROM kv WHERE key = ?1"));
  TRY(auto scan, database.prepare("SELECT key, value, create_revision, mod_revision, version, lease FROM kv WHERE key >= ?1 ORDER BY key"));
  TRY(auto set, database.prepare("UPDATE meta SET value = ?1 WHERE name = 'revision'"));
  return Tables(std::move(database), std::move(numbers), std::move(get), std::move(put), std::move(erase), std::move(scan), std::move(set));
}

Status Tables::begin() { return database_.execute("BEGIN IMMEDIATE"); }

Status Tables::commit() {
  auto status = database_.execute("COMMIT");
  if (status) return status;
  // A full disk stops the writing of the log before its end; any other failure may come after it.
  bool const is_surely_undone = database_.last_write_was_refused();
  rollback();
  if (is_surely_undone) return status;
  return fail(Code::UnknownOutcome, status.error().message);
}

void Tables::rollback() {
  if (!database_.in_transaction()) return;
  // Fails only where SQLite has rolled back by itself.
  std::ignore = database_.execute("ROLLBACK");
}

Result<std::int64_t> Tables::revision() { return database_.read_number("SELECT value FROM meta WHERE name = 'revision'"); }

Status Tables::set_revision(std::int64_t revision) { return set_revision_.bind(1, revision).run(); }

Result<std::int64_t> Tables::count_life() {
  TRY_VOID(database_.execute("UPDATE meta SET value = value + 1 WHERE name = 'lives'"));
  return database_.read_number("SELECT value FROM meta WHERE name = 'lives'");
}

Result<Numbers> Tables::numbers(std::string_view key) {
  TRY(bool const found, numbers_.bind(1, key).step());
  if (!found) return Numbers{};
  Numbers const result{.create_revision = numbers_.number(0), .mod_revision = numbers_.number(1), .version = numbers_.number(2)};
  numbers_.reset();
  return result;
}

Result<std::optional<ports::KeyValue>> Tables::get(std::string_view key) {
  TRY(bool const found, get_.bind(1, key).step());
  if (!found) return std::nullopt;
  auto item = read_row(get_);
  get_.reset();
  return item;
}

Status Tables::put(ports::KeyValue const& item) {
  put_.bind(1, item.key).bind(2, item.value).bind(3, item.create_revision).bind(4, item.mod_revision);
  return put_.bind(5, item.version).bind(6, item.lease).run();
}

Status Tables::erase(std::string_view key) { return erase_.bind(1, key).run(); }

Result<std::vector<std::string>> Tables::leased_keys(std::int64_t lease) {
  auto const condition = lease == 0 ? std::string("lease <> 0") : fmt::format("lease <> 0 AND lease = {}", lease);
  TRY(auto rows, database_.prepare(fmt::format("SELECT key FROM kv WHERE {} ORDER BY key", condition)));
  std::vector<std::string> keys;
  for (;;) {
    TRY(bool const row, rows.step());
    if (!row) return keys;
    keys.push_back(rows.bytes(0));
  }
}

void Tables::scan(std::string_view start) {
  scan_.reset();
  scan_.bind(1, start);
}

Result<std::optional<ports::KeyValue>> Tables::next_row() {
  TRY(bool const row, scan_.step());
  if (!row) return std::nullopt;
  return read_row(scan_);
}

}  // namespace davit::store_sqlite
