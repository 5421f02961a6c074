#include "core/placement/score.hpp"

#include <algorithm>
#include <cmath>

namespace davit::placement {
namespace {

using model::Strategy;

struct Shares {
  double cpu = 0;
  double memory = 0;
  double load = 0;
};

double share(std::int64_t used, std::int64_t capacity) {
  return capacity > 0 ? std::max(0.0, static_cast<double>(used) / static_cast<double>(capacity)) : 1.0;
}

// What was measured, and what has been placed that the measurement cannot show. A node that was never measured: what its
// instances are expected to use.
Shares live_shares(Room const& room) {
  auto const& capacity = room.condition.capacity;
  if (!room.is_measured) {
    auto const cpu = share(room.expected.microcores, capacity.microcores);
    return {cpu, share(room.expected.memory, capacity.memory), cpu};
  }
  auto const unseen = room.starting + room.fresh;
  auto const used = room.measured.used + unseen;
  return {share(used.microcores, capacity.microcores), share(used.memory, capacity.memory),
          share(room.measured.load + unseen.microcores, capacity.microcores)};
}

// By what is promised, not by what is used at the moment: a node does not become empty because its instances idle.
double packed_share(Room const& room) {
  auto const& capacity = room.condition.capacity;
  return (share(room.expected.microcores, capacity.microcores) + share(room.expected.memory, capacity.memory)) / 2;
}

double used_share(Room const& room, Strategy strategy) {
  switch (strategy) {
    case Strategy::Mix: {
      auto const shares = live_shares(room);
      return (shares.cpu + shares.memory + shares.load) / 3;
    }
    case Strategy::Cpu: return live_shares(room).cpu;
    case Strategy::Memory: return live_shares(room).memory;
    case Strategy::Load: return live_shares(room).load;
    case Strategy::Binpack: return 1 - packed_share(room);
    case Strategy::Spread: return 1 - 1 / (1.0 + room.instances);
  }
  return 1;
}

}  // namespace

std::uint32_t burden(Room const& room, Strategy strategy) {
  constexpr std::uint32_t kMost = (1U << kBurdenBits) - 1;
  if (strategy == Strategy::Spread) return std::min(room.instances, kMost);
  // An overfull node packs best of all: its share of what is free is below zero.
  double const offset = strategy == Strategy::Binpack ? 8 : 0;
  auto const scaled = std::clamp((used_share(room, strategy) + offset) * kWholeNode, 0.0, static_cast<double>(kMost));
  return static_cast<std::uint32_t>(scaled + 0.5);
}

double score(Room const& room, Strategy strategy) { return 1 - used_share(room, strategy); }

}  // namespace davit::placement
