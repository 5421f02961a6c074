// Copies of a store: made while davit runs (from another process), and put back while it does not.
// Blocking; for the commands `davit store backup` and `davit store restore`, which hold no loop. Restoring needs the lock on the
// data directory, which the caller holds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "base/result.hpp"

namespace davit::store_sqlite {

struct BackupReport {
  std::filesystem::path file;
  std::int64_t revision = 0;
  std::int64_t keys = 0;
  std::int64_t size_bytes = 0;
};

// One consistent moment of the store, verified, in a single file that appears complete or not at all. Never overwrites.
Result<BackupReport> backup(std::filesystem::path const& store, std::filesystem::path const& destination);

struct RestoreReport {
  std::int64_t revision = 0;
  std::int64_t keys = 0;
  std::filesystem::path kept_aside;  // what was there before; empty: nothing was
};

struct RestoreOptions {
  // Replace a store that is there already; it is renamed, not removed.
  bool force = false;
  // The key whose value names the era, and what to make of it: a restored store must never pass for the one it was copied from.
  std::string cluster_key = "davit/v1/cluster";
  std::function<Result<std::string>(std::string)> raise_era;
};

Result<RestoreReport> restore(std::filesystem::path const& source, std::filesystem::path const& store, RestoreOptions const& options);

}  // namespace davit::store_sqlite
