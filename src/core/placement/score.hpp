// How good a node is for one more instance, by the service's strategy: a number that is smaller for a better node.
#pragma once

#include <cstdint>

#include "core/placement/node.hpp"

namespace davit::placement {

// Of the strategies that go by shares kWholeNode means that nothing is free, and more that the node is overcommitted.
inline constexpr int kBurdenBits = 22;
inline constexpr std::uint32_t kWholeNode = 1U << 18;
std::uint32_t burden(Room const& room, model::Strategy strategy);

// For people: 1 is the best, 0 that nothing is free. `spread`: 1 / (1 + instances).
double score(Room const& room, model::Strategy strategy);

}  // namespace davit::placement
