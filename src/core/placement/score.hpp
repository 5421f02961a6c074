// How good a node is for one more instance, by the service's strategy: a number that is smaller for a better node.
#pragma once

#include <cstdint>

#include "core/placement/node.hpp"

namespace davit::placement {

// Of the strategies that go by shares kWholeNode means that nothing is free, and more that the node is overcommitted.
inline constexpr int kBurdenBits = 22;
inline constexpr std::uint32_t kWholeNode = 1U << 18;
std::uint32_t burden(Room const& room, model::Strategy strategy);

// Parts of the node's capacity: 1 is all of it, and more can be. What was measured, and what has been placed that the measurement cannot
// show. Of a node that was never measured: what its instances are expected to use.
struct Shares {
  double cpu = 0;
  double memory = 0;
  double load = 0;
};
Shares live_shares(Room const& room);

// The mean of the node's CPU and memory that its instances are expected to use, by reservation or mean; live values do not count.
double carried_share(Room const& room);

// For people: 1 is the best, 0 that nothing is free. `spread`: 1 / (1 + instances).
double score(Room const& room, model::Strategy strategy);

}  // namespace davit::placement
