#include "adapters/store_sqlite/history.hpp"

#include <algorithm>
#include <utility>

namespace davit::store_sqlite {
namespace {

std::size_t bytes_of(Change const& change) {
  std::size_t bytes = sizeof(Change);
  for (auto const* side : {&change.before, &change.after})
    if (*side) bytes += (*side)->key.size() + (*side)->value.size();
  return bytes;
}

}  // namespace

void History::append(std::vector<Change> changes) {
  for (auto& change : changes) {
    bytes_ += bytes_of(change);
    changes_.push_back(std::move(change));
  }
}

void History::forget_before(std::int64_t revision) {
  first_revision_ = std::max(first_revision_, revision);
  while (!changes_.empty() && changes_.front().revision < first_revision_) {
    bytes_ -= bytes_of(changes_.front());
    changes_.pop_front();
  }
}

void History::trim() {
  while (changes_.size() > limits_.changes || bytes_ > limits_.bytes) forget_before(changes_.front().revision + 1);
}

std::vector<ports::WatchBatch> History::batches(std::string const& prefix, std::int64_t from) const {
  std::vector<ports::WatchBatch> batches;
  for (auto change = find(from); change != changes_.end(); ++change) {
    if (!change->key().starts_with(prefix)) continue;
    if (batches.empty() || batches.back().revision != change->revision)
      batches.push_back({.revision = change->revision, .compacted = false, .changes = {}});
    if (change->after) batches.back().changes.emplace_back(ports::KeyPut{*change->after});
    else batches.back().changes.emplace_back(ports::KeyErased{.key = change->key(), .mod_revision = change->revision});
  }
  return batches;
}

History::Past History::at(std::int64_t revision) const {
  Past past;
  // The first change after the revision knows what was there before; later ones do not count.
  for (auto change = find(revision + 1); change != changes_.end(); ++change) past.try_emplace(change->key(), change->before);
  return past;
}

std::deque<Change>::const_iterator History::find(std::int64_t revision) const {
  return std::ranges::lower_bound(changes_, revision, {}, &Change::revision);
}

}  // namespace davit::store_sqlite
