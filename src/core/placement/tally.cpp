#include "core/placement/tally.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace davit::placement {

using model::NodeIx;

void Tally::add(NodeIx node) {
  auto const i = static_cast<std::size_t>(node);
  if (!counts_.empty()) {
    if (i >= counts_.size()) counts_.resize(i + 1);
    if (counts_[i]++ == 0) ++nodes_;
    return;
  }
  auto const found = std::ranges::lower_bound(list_, node, {}, &Entry::node);
  if (found != list_.end() && found->node == node) {
    ++found->count;
    return;
  }
  list_.insert(found, {node, 1});
  ++nodes_;
  bool const is_array_smaller = 2 * list_.size() > static_cast<std::size_t>(list_.back().node) + 1;
  if (list_.size() > kMostListed && is_array_smaller) spread_out();
}

void Tally::spread_out() {
  counts_.resize(static_cast<std::size_t>(list_.back().node) + 1);
  for (auto const& entry : list_) counts_[static_cast<std::size_t>(entry.node)] = entry.count;
  list_ = {};
}

void Tally::remove(NodeIx node) {
  auto const i = static_cast<std::size_t>(node);
  CHECK(at(node) > 0, "no instance on node {}", i);
  if (counts_.empty()) {
    auto const found = std::ranges::lower_bound(list_, node, {}, &Entry::node);
    if (--found->count > 0) return;
    list_.erase(found);
    --nodes_;
  } else if (--counts_[i] == 0 && --nodes_ == kMostListed / 2) {
    for (std::size_t each = 0; each < counts_.size(); ++each) {
      if (counts_[each] > 0) list_.push_back({NodeIx(each), counts_[each]});
    }
    counts_ = {};
  }
}

std::uint32_t Tally::at(NodeIx node) const {
  auto const i = static_cast<std::size_t>(node);
  if (!counts_.empty()) return i < counts_.size() ? counts_[i] : 0;
  auto const found = std::ranges::lower_bound(list_, node, {}, &Entry::node);
  return found != list_.end() && found->node == node ? found->count : 0;
}

std::span<Tally::Entry const> Tally::entries() const {
  CHECK(counts_.empty(), "on {} nodes", nodes_);
  return list_;
}

}  // namespace davit::placement
