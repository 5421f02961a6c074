// The smallest of many keys that change one at a time: a tree in which each inner node has the smallest of its children.
// A change costs O(log n), and so does the answer, also with a few of the keys left out.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace davit::placement {

// K has < and ==, and in kUnfit<K> a value that no other exceeds: who has it takes no part. Instantiated in the .cpp.
template <class K>
inline constexpr K kUnfit;

template <class K>
class Tournament {
 public:
  struct Winner {
    K key = kUnfit<K>;  // kUnfit: nobody is left
    std::uint32_t leaf = 0;
  };

  Tournament() : Tournament(std::vector<K>()) {}
  explicit Tournament(std::vector<K> leaves);

  void set(std::uint32_t leaf, K key);
  K top() const { return levels_.back().front(); }
  // Of equal keys the one of the lowest leaf. `excluded` is ascending, each once.
  Winner best(std::span<std::uint32_t const> excluded = {}) const { return best_below(levels_.size() - 1, 0, excluded); }

 private:
  static constexpr std::uint32_t kLogFanOut = 3;
  static constexpr std::uint32_t kFanOut = 1U << kLogFanOut;  // eight keys are a line of the cache: few levels, one miss for each

  K smallest_child(std::size_t level, std::size_t index) const;
  static std::uint32_t first_with(K key, K const* children);
  Winner descend(std::size_t level, std::uint32_t index) const;
  Winner best_below(std::size_t level, std::uint32_t index, std::span<std::uint32_t const> excluded) const;

  std::vector<std::vector<K>> levels_;  // the leaves first; the last has one key
};

}  // namespace davit::placement
