// The rows of an open store file, read and written one at a time by prepared statements. Knows no revision arithmetic.
// Store thread only (and the one that opens the store, before that starts).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/store_sqlite/sqlite.hpp"
#include "ports/store.hpp"

namespace davit::store_sqlite {

struct Numbers {  // of an absent key: all 0
  std::int64_t create_revision = 0;
  std::int64_t mod_revision = 0;
  std::int64_t version = 0;
};

class Tables {
 public:
  static Result<Tables> open(Database database);

  Status begin();
  // On failure the transaction is rolled back. Code::UnknownOutcome: the disk did not say whether it has it.
  Status commit();
  void rollback();

  Result<std::int64_t> revision();
  Status set_revision(std::int64_t revision);
  Result<std::int64_t> count_life();  // 1 for the first

  Result<Numbers> numbers(std::string_view key);
  Result<std::optional<ports::KeyValue>> get(std::string_view key);
  Status put(ports::KeyValue const& item);
  Status erase(std::string_view key);
  Result<std::vector<std::string>> leased_keys(std::int64_t lease);  // 0: of any lease

  // Rows from `start` on, by key. Valid until the next scan() or until the end was reached; `start` must live as long.
  void scan(std::string_view start);
  Result<std::optional<ports::KeyValue>> next_row();
  void end_scan() { scan_.reset(); }

 private:
  Tables(Database database, Statement&& numbers, Statement&& get, Statement&& put, Statement&& erase, Statement&& scan, Statement&& set)
      : database_(std::move(database)),
        numbers_(std::move(numbers)),
        get_(std::move(get)),
        put_(std::move(put)),
        erase_(std::move(erase)),
        scan_(std::move(scan)),
        set_revision_(std::move(set)) {}

  Database database_;  // first, so that it outlives the statements
  Statement numbers_;
  Statement get_;
  Statement put_;
  Statement erase_;
  Statement scan_;
  Statement set_revision_;
};

}  // namespace davit::store_sqlite
