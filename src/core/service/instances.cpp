#include "core/service/instances.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace davit::service {
namespace {

auto is_before(std::uint32_t slot, InstanceId id) {
  return [slot, id](Instance const& instance) { return instance.slot != slot ? instance.slot < slot : instance.id < id; };
}

}  // namespace

Instance const& Instances::at(std::size_t index) const {
  CHECK(index < size_, "instance {} of {}", index, size_);
  return *std::ranges::next(begin(), static_cast<std::ptrdiff_t>(index));
}

// The first whose last instance does not come before it.
std::size_t Instances::block_of(std::uint32_t slot, InstanceId id) const {
  auto const found =
      std::ranges::partition_point(blocks_, is_before(slot, id), [](Block const& block) -> Instance const& { return block.back(); });
  return static_cast<std::size_t>(found - blocks_.begin());
}

std::size_t Instances::place_in(Block const& block, std::uint32_t slot, InstanceId id) {
  return static_cast<std::size_t>(std::ranges::partition_point(block, is_before(slot, id)) - block.begin());
}

Instances::const_iterator Instances::lower_bound(std::uint32_t slot, InstanceId id) const {
  auto const block = block_of(slot, id);
  if (block == blocks_.size()) return end();
  return {&blocks_[block], blocks_.data() + blocks_.size(), place_in(blocks_[block], slot, id)};
}

Instance const* Instances::find(std::uint32_t slot, InstanceId id) const {
  auto const found = lower_bound(slot, id);
  return found != end() && found->slot == slot && found->id == id ? &*found : nullptr;
}
Instance* Instances::find(std::uint32_t slot, InstanceId id) {
  return const_cast<Instance*>(static_cast<Instances const*>(this)->find(slot, id));
}

// A full block is halved, but the last one where the instance follows it: slots are placed in ascending order, and fill their blocks.
Instance& Instances::insert(Instance instance) {
  auto at = block_of(instance.slot, instance.id);
  if (at == blocks_.size()) {
    bool const is_full = blocks_.empty() || blocks_.back().size() == kMostInBlock;
    if (is_full) blocks_.emplace_back();
    at = blocks_.size() - 1;
  } else if (blocks_[at].size() == kMostInBlock) {
    auto& full = blocks_[at];
    auto const half = full.begin() + kMostInBlock / 2;
    Block rest(std::make_move_iterator(half), std::make_move_iterator(full.end()));
    full.erase(half, full.end());
    blocks_.insert(blocks_.begin() + static_cast<std::ptrdiff_t>(at) + 1, std::move(rest));
    at = block_of(instance.slot, instance.id);
  }
  ++size_;
  auto& block = blocks_[at];
  auto const place = place_in(block, instance.slot, instance.id);
  return *block.insert(block.begin() + static_cast<std::ptrdiff_t>(place), std::move(instance));
}

void Instances::erase(Instance const& instance) {
  auto const at = block_of(instance.slot, instance.id);
  CHECK(at < blocks_.size(), "instance {} is not among them", to_string(instance.id));
  auto& block = blocks_[at];
  auto const place = place_in(block, instance.slot, instance.id);
  CHECK(place < block.size() && &block[place] == &instance, "instance {} is not among them", to_string(instance.id));
  block.erase(block.begin() + static_cast<std::ptrdiff_t>(place));
  --size_;
  if (block.empty()) blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(at));
}

}  // namespace davit::service
