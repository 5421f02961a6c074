// The one source of chance in a simulation: everything that is drawn follows from the seed. Not of <random>, whose distributions
// differ between libraries. A fork is a stream of its own, so that one part's draws do not shift another's.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/ids.hpp"
#include "base/time.hpp"

namespace davit::sim {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {  // splitmix64
    auto mixed = state_ += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  std::uint64_t between(std::uint64_t least, std::uint64_t most) { return least + below(most - least + 1); }
  Duration between(Duration least, Duration most) {
    return least + Duration(below(static_cast<std::uint64_t>((most - least).count()) + 1));
  }
  bool one_in(std::uint64_t times) { return below(times) == 0; }
  template <class Container>
  auto& pick(Container& from) {
    return from[below(from.size())];
  }
  Random fork(std::string_view name) const { return Random(state_ ^ stable_hash(name)); }

 private:
  std::uint64_t state_;
};

}  // namespace davit::sim
