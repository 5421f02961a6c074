// The changes of the last revisions, in memory: what watches are served from, and what turns the present back into an older
// revision. Starts empty at each opening: whoever asks for older changes is told to read anew. Store thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ports/store.hpp"

namespace davit::store_sqlite {

// One key's change; at least one side is there.
struct Change {
  std::int64_t revision = 0;
  std::optional<ports::KeyValue> before;
  std::optional<ports::KeyValue> after;

  std::string const& key() const { return after ? after->key : before->key; }
};

class History {
 public:
  struct Limits {
    std::size_t changes = 50'000;
    std::size_t bytes = std::size_t{32} << 20;
  };
  using Past = std::map<std::string, std::optional<ports::KeyValue>, std::less<>>;

  History(std::int64_t first_revision, Limits limits) : first_revision_(first_revision), limits_(limits) {}

  // Every change from this revision on is here.
  std::int64_t first_revision() const { return first_revision_; }
  bool can_watch_from(std::int64_t revision) const { return revision >= first_revision_; }
  bool can_read_at(std::int64_t revision) const { return revision + 1 >= first_revision_; }

  void append(std::vector<Change> changes);
  void forget_before(std::int64_t revision);
  // Forgets whole revisions, oldest first, until the limits hold.
  void trim();

  // One batch for each revision from `from` on that changed keys under `prefix`.
  std::vector<ports::WatchBatch> batches(std::string const& prefix, std::int64_t from) const;
  // For each key changed after `revision`: what it was at that revision.
  Past at(std::int64_t revision) const;

 private:
  std::deque<Change>::const_iterator find(std::int64_t revision) const;

  std::int64_t first_revision_;
  Limits limits_;
  std::deque<Change> changes_;  // by revision
  std::size_t bytes_ = 0;
};

}  // namespace davit::store_sqlite
