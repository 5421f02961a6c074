// What a store file is: how to tell one, refuse one without touching it, make one, and open one for work.
//   meta(name, value)   "revision": the store's; "lives": how often it was opened for work (makes lease ids unique)
//   kv(key, value, create_revision, mod_revision, version, lease)
// A file comes into being under another name and is renamed when complete, so an empty file is a damaged one, never a new one.
// The caller holds the lock on the data directory.
#pragma once

#include <filesystem>

#include "adapters/store_sqlite/sqlite.hpp"
#include "base/result.hpp"

namespace davit::store_sqlite {

inline constexpr std::int64_t kFirstRevision = 1;

enum class Found : std::uint8_t { Nothing, Store };
enum class Depth : std::uint8_t { Quick, Full };

// Reads the whole file and changes neither it nor its log: a damaged, foreign or newer one is refused with the way out.
Result<Found> inspect(std::filesystem::path const& file, Depth depth);
Status create(std::filesystem::path const& file);
Result<Database> open_for_work(std::filesystem::path const& file);

// Of a database that is open: refuses one that is no store or of a newer format.
Status check_identity(Database const& database);
Status check_integrity(Database const& database, Depth depth);

bool is_there(std::filesystem::path const& file);
bool has_content(std::filesystem::path const& file);
std::filesystem::path log_of(std::filesystem::path const& file);  // the write-ahead log beside it
// Writes the file's content and name through to the disk.
Status sync_to_disk(std::filesystem::path const& file);
// The database file with its log and index; what is absent is no error.
void remove_with_side_files(std::filesystem::path const& file);

}  // namespace davit::store_sqlite
