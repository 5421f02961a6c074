#include "sim/run/fault.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace davit::sim {
namespace {

struct Shape {
  FaultKind kind;
  unsigned weight;
  Duration shortest;
  Duration longest;
};

constexpr Shape kShapes[] = {
    {FaultKind::MasterCrash, 4, 100ms, 12s},
    {FaultKind::MasterLeave, 2, 500ms, 15s},
    {FaultKind::MasterPause, 3, 200ms, 12s},
    {FaultKind::AgentCrash, 5, 100ms, 25s},
    {FaultKind::AgentPause, 3, 200ms, 20s},
    {FaultKind::AgentStateLost, 1, 100ms, 10s},
    {FaultKind::StateSaveFails, 2, 1s, 20s},
    {FaultKind::GuardCrash, 1, 50ms, 1s},
    {FaultKind::MachineSuspend, 2, 500ms, 45s},
    {FaultKind::PowerLost, 2, 2s, 30s},
    {FaultKind::ClockRate, 2, 5s, 60s},
    {FaultKind::WallJump, 1, 0s, 0s},
    {FaultKind::Cut, 5, 200ms, 30s},
    {FaultKind::CutOneWay, 4, 200ms, 30s},
    {FaultKind::Deaf, 2, 500ms, 60s},
    {FaultKind::Partition, 3, 500ms, 30s},
    {FaultKind::ConnectionReset, 4, 0s, 0s},
    {FaultKind::SlowLink, 3, 1s, 30s},
    {FaultKind::MessagesDoubled, 2, 1s, 30s},
    {FaultKind::StoreMemberDown, 3, 200ms, 20s},
    {FaultKind::StoreMemberLags, 3, 1s, 20s},
    {FaultKind::StoreMemberSlow, 3, 2s, 40s},
    {FaultKind::StoreLeaderChange, 2, 0s, 0s},
    {FaultKind::StoreLeaderChangeLosesLease, 1, 0s, 0s},
    {FaultKind::StoreFlaky, 3, 1s, 20s},
    {FaultKind::StoreFull, 1, 1s, 15s},
    {FaultKind::StoreNearlyFull, 1, 5s, 60s},
    {FaultKind::StoreCompaction, 2, 0s, 0s},
    {FaultKind::LeaseLost, 2, 0s, 0s},
    {FaultKind::EngineAway, 3, 200ms, 20s},
    {FaultKind::EngineCrash, 2, 200ms, 20s},
    {FaultKind::EngineHangs, 2, 200ms, 40s},
    {FaultKind::EngineRefuses, 3, 1s, 20s},
    {FaultKind::EngineSlow, 2, 1s, 30s},
    {FaultKind::EventsLost, 2, 1s, 30s},
    {FaultKind::ProbesFail, 2, 1s, 30s},
    {FaultKind::ContainerEnds, 5, 0s, 0s},
    {FaultKind::ContainerRemoved, 2, 0s, 0s},
    {FaultKind::ContainerPaused, 1, 500ms, 20s},
    {FaultKind::ContainerCopied, 1, 0s, 0s},
};

Shape const& draw_shape(Random& random) {
  unsigned total = 0;
  for (auto const& shape : kShapes) total += shape.weight;
  auto ticket = random.below(total);
  auto const* shape = kShapes;
  while (ticket >= shape->weight) ticket -= (shape++)->weight;
  return *shape;
}

}  // namespace

std::vector<Fault> draw_faults(Random random, Duration length, Duration mean_gap) {
  std::vector<Fault> faults;
  for (Duration at = 5s; at < length; at += random.between(0ns, 2 * mean_gap)) {
    auto own = random.fork("fault");
    random.next();
    auto const& shape = draw_shape(own);
    // Most are short: what is over before anybody has noticed is a case of its own.
    auto const longest = own.one_in(3) ? shape.longest : std::min(shape.longest, shape.shortest + shape.longest / 5);
    auto const lasts = std::min(own.between(shape.shortest, longest), length - at);
    faults.push_back({.index = faults.size(), .kind = shape.kind, .at = at, .lasts = lasts, .where = own.next(), .other = own.next()});
  }
  return faults;
}

std::string to_string(Fault const& fault) {
  return fmt::format("fault {}: {} at {} for {}", fault.index, model::to_string(fault.kind), format_duration(fault.at),
                     format_duration(fault.lasts));
}

}  // namespace davit::sim
