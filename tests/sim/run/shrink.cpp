#include "sim/run/shrink.hpp"

#include <algorithm>

namespace davit::sim {

// In pieces of half the faults, then of a quarter, down to single ones.
RunOptions shrink(RunOptions options, RunResult const& failure, std::function<void(std::size_t)> const& on_progress) {
  auto kept = failure.faults;
  auto const fails_alike = [&](std::vector<std::size_t> const& faults) {
    options.only_faults = std::set(faults.begin(), faults.end());
    auto const result = run(options);
    return result.finding && result.finding->rule == failure.finding->rule;
  };
  for (auto piece = std::max<std::size_t>(kept.size() / 2, 1);; piece = std::max<std::size_t>(piece / 2, 1)) {
    bool has_shrunk = false;
    for (std::size_t from = 0; from < kept.size();) {
      auto without = kept;
      auto const first = without.begin() + static_cast<std::ptrdiff_t>(from);
      without.erase(first, first + static_cast<std::ptrdiff_t>(std::min(piece, kept.size() - from)));
      if (fails_alike(without)) {
        kept = std::move(without);
        has_shrunk = true;
        on_progress(kept.size());
      } else {
        from += piece;
      }
    }
    if (piece == 1 && !has_shrunk) break;
  }
  options.only_faults = std::set(kept.begin(), kept.end());
  return options;
}

}  // namespace davit::sim
