// All instances of one service as its master keeps them, InOrder. A value, part of the master's table.
//
// They stand in blocks, because a service may have 100,000 of them and each comes and goes on its own: that moves at most a block,
// never all the others. A change invalidates references and iterators. Blocks that have become small are not joined: a slot that
// has lost its instance gets another one, and those of a smaller service go from the end.
#pragma once

#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <ranges>
#include <type_traits>
#include <vector>

#include "core/service/instance.hpp"

namespace davit::service {

class Instances {
  using Block = std::vector<Instance>;

  template <bool kIsConst>
  class Cursor {
   public:
    using value_type = Instance;
    using difference_type = std::ptrdiff_t;
    using reference = std::conditional_t<kIsConst, Instance const&, Instance&>;
    using pointer = std::remove_reference_t<reference>*;
    using BlockPointer = std::conditional_t<kIsConst, Block const*, Block*>;

    Cursor() = default;
    Cursor(BlockPointer block, BlockPointer last, std::size_t at) : block_(block), last_(last) {
      if (block_ != last_) at_ = block_->data() + at, stop_ = block_->data() + block_->size();
    }

    reference operator*() const { return *at_; }
    pointer operator->() const { return at_; }
    Cursor& operator++() {
      if (++at_ == stop_) *this = Cursor(block_ + 1, last_, 0);
      return *this;
    }
    Cursor operator++(int) {
      auto const before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(Cursor const& a, Cursor const& b) { return a.at_ == b.at_; }

   private:
    pointer at_ = nullptr;  // null: behind the last
    pointer stop_ = nullptr;
    BlockPointer block_ = nullptr;
    BlockPointer last_ = nullptr;
  };

 public:
  static constexpr std::size_t kMostInBlock = 256;

  using value_type = Instance;
  using iterator = Cursor<false>;
  using const_iterator = Cursor<true>;

  iterator begin() { return {blocks_.data(), blocks_.data() + blocks_.size(), 0}; }
  iterator end() { return {}; }
  const_iterator begin() const { return {blocks_.data(), blocks_.data() + blocks_.size(), 0}; }
  const_iterator end() const { return {}; }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  Instance const& front() const { return blocks_.front().front(); }
  Instance const& back() const { return blocks_.back().back(); }
  Instance const& at(std::size_t index) const;

  // The first that does not come before it.
  const_iterator lower_bound(std::uint32_t slot, InstanceId id) const;
  auto of_slot(std::uint32_t slot) const { return std::ranges::subrange(lower_bound(slot, {}), lower_bound(slot + 1, {})); }
  Instance* find(std::uint32_t slot, InstanceId id);
  Instance const* find(std::uint32_t slot, InstanceId id) const;

  Instance& insert(Instance instance);
  void erase(Instance const& instance);  // one of them

 private:
  std::size_t block_of(std::uint32_t slot, InstanceId id) const;
  static std::size_t place_in(Block const& block, std::uint32_t slot, InstanceId id);

  std::vector<Block> blocks_;  // none is empty
  std::size_t size_ = 0;
};
static_assert(std::forward_iterator<Instances::iterator> && std::forward_iterator<Instances::const_iterator>);

// They in any other container, for what only reads: an Instances converts, and so does a vector in a test.
class InstanceRefs {
 public:
  template <std::ranges::input_range Range>
    requires std::same_as<std::ranges::range_value_t<Range>, Instance>
  InstanceRefs(Range const& all) {  // NOLINT(google-explicit-constructor): a view
    refs_.reserve(std::ranges::size(all));
    for (Instance const& each : all) refs_.push_back(&each);
  }

  auto begin() const { return refs_.begin(); }
  auto end() const { return refs_.end(); }
  bool empty() const { return refs_.empty(); }
  std::size_t size() const { return refs_.size(); }

 private:
  std::vector<Instance const*> refs_;
};

}  // namespace davit::service
