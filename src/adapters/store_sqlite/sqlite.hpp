// SQLite's handles with owners, and its errors as ours. Nothing here knows what is stored.
// One thread at a time may use a Database and its Statements; Statements must be gone before their Database.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace davit::store_sqlite {

class Statement {
 public:
  // A bound view must live until reset().
  Statement& bind(int index, std::string_view bytes);
  Statement& bind(int index, std::int64_t number);
  // True: there is a row to read. After false or an error the statement is reset.
  Result<bool> step();
  Status run();  // to the end, ignoring rows
  std::int64_t number(int column) const;
  std::string bytes(int column) const;
  void reset();

 private:
  friend class Database;
  struct Close {
    void operator()(sqlite3_stmt* statement) const;
  };
  Statement(sqlite3_stmt* statement, std::filesystem::path const& file) : statement_(statement), file_(file) {}

  std::unique_ptr<sqlite3_stmt, Close> statement_;
  std::filesystem::path file_;
};

class Database {
 public:
  enum class Access : std::uint8_t {
    Immutable,  // read only, without locks or side files: for files nobody has open
    ReadOnly,
    ReadWrite,
    Create,  // and read and write; readable by its owner only
  };
  static Result<Database> open(std::filesystem::path const& file, Access access);

  std::filesystem::path const& file() const { return file_; }
  sqlite3* handle() const { return database_.get(); }
  Result<Statement> prepare(std::string_view sql) const;
  Status execute(std::string const& sql);
  Result<std::string> read_text(std::string_view sql) const;    // the first column of the first row
  Result<std::int64_t> read_number(std::string_view sql) const;
  bool in_transaction() const;
  // Leaves the write-ahead log as it is when the last connection closes.
  void keep_log_on_close();
  // The last call failed because the disk took no more bytes (rather than while flushing those it had taken).
  bool last_write_was_refused() const;
  // What the last failed call ran into.
  Error last_error() const;

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  Database(sqlite3* database, std::filesystem::path file) : database_(database), file_(std::move(file)) {}

  std::unique_ptr<sqlite3, Close> database_;
  std::filesystem::path file_;
};

// How a damaged store is refused: always with the same way out.
std::unexpected<Error> damaged(std::filesystem::path const& file, std::string_view why);

}  // namespace davit::store_sqlite
