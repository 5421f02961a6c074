#include "core/placement/score.hpp"

#include <algorithm>
#include <cmath>

namespace davit::placement {
namespace {

using model::Strategy;

double share(std::int64_t used, std::int64_t capacity) {
  return capacity > 0 ? std::max(0.0, static_cast<double>(used) / static_cast<double>(capacity)) : 1.0;
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
    case Strategy::Binpack: return 1 - carried_share(room);
    case Strategy::Spread: return 1 - 1 / (1.0 + room.instances);
  }
  return 1;
}

}  // namespace

// Where everything waits for memory, none is free, though the kernel may still call some available. The pressure on processors and disks
// does not count: a container that is held to its own limit shows there as well, on a node that has plenty.
Shares live_shares(Room const& room) {
  auto const& capacity = room.condition.capacity;
  if (!room.is_measured) {
    auto const cpu = share(room.expected.microcores, capacity.microcores);
    return {cpu, share(room.expected.memory, capacity.memory), cpu};
  }
  auto const unseen = room.starting + room.fresh;
  auto const used = room.measured.used + unseen;
  return {share(used.microcores, capacity.microcores), std::max(share(used.memory, capacity.memory), room.measured.memory_pressure),
          share(room.measured.load + unseen.microcores, capacity.microcores)};
}

// By what is promised, not by what is used at the moment: a node does not become empty because its instances idle.
double carried_share(Room const& room) {
  auto const& capacity = room.condition.capacity;
  return (share(room.expected.microcores, capacity.microcores) + share(room.expected.memory, capacity.memory)) / 2;
}

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
