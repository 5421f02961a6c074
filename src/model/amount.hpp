// Cores and memory in whole numbers, so that a sum of what comes and goes is exact in any order.
#pragma once

#include <compare>
#include <cstdint>

#include "model/node.hpp"
#include "model/spec.hpp"

namespace davit::model {

struct Amount {
  std::int64_t microcores = 0;
  std::int64_t memory = 0;  // bytes

  Amount& operator+=(Amount const& other) {
    microcores += other.microcores;
    memory += other.memory;
    return *this;
  }
  Amount& operator-=(Amount const& other) {
    microcores -= other.microcores;
    memory -= other.memory;
    return *this;
  }
  friend Amount operator+(Amount a, Amount const& b) { return a += b; }
  friend Amount operator-(Amount a, Amount const& b) { return a -= b; }
  friend auto operator<=>(Amount const&, Amount const&) = default;
};

Amount amount_of(double cpus, Bytes memory);
inline Amount amount_of(ResourceSet const& set) { return amount_of(set.cpus, set.memory); }
inline double cores(std::int64_t microcores) { return static_cast<double>(microcores) / 1e6; }

}  // namespace davit::model
