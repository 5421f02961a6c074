#include "sim/run/injector.hpp"

#include <algorithm>
#include <functional>

#include <fmt/core.h>

namespace davit::sim {
namespace {

// Milliseconds. Two masters' clocks must agree within the ten minutes for which requests are remembered: beyond them a request that is
// repeated may act twice, once by each.
constexpr std::int64_t kWallOff = 240'000;

constexpr std::int64_t kPercentHeld = 85;  // by a store that is nearly full

std::string container_of(AgentNode const& agent, std::uint64_t number) {
  std::vector<std::string> names;
  for (auto const& name : agent.engine().running()) {
    if (!name.starts_with(kForeign)) names.push_back(name);
  }
  return names.empty() ? std::string{} : names[number % names.size()];
}

}  // namespace

void Injector::schedule(std::vector<Fault> const& faults) {
  for (auto const& fault : faults) cluster_.delays().after(fault.at, [this, fault] { begin(fault); });
}

void Injector::begin(Fault const& fault) {
  ++injected_[fault.kind];
  observer_.on_fault(to_string(fault));
  auto undo = inject(fault);
  if (!undo) return;
  cluster_.delays().after(fault.lasts, [this, fault, undo = std::move(undo)] {
    observer_.on_fault(fmt::format("end of fault {}", fault.index));
    undo();
  });
}

Injector::Undo Injector::inject(Fault const& fault) {
  using enum FaultKind;
  switch (fault.kind) {
    case MasterCrash:
    case MasterLeave:
    case MasterPause:
    case AgentCrash:
    case AgentPause:
    case AgentStateLost:
    case StateSaveFails:
    case GuardCrash:
    case MachineSuspend:
    case PowerLost:
    case ClockRate:
    case WallJump: return inject_into_process(fault);
    case Cut:
    case CutOneWay:
    case Deaf:
    case Partition:
    case ConnectionReset:
    case SlowLink:
    case MessagesDoubled: return inject_into_network(fault);
    case StoreMemberDown:
    case StoreMemberLags:
    case StoreMemberSlow:
    case StoreLeaderChange:
    case StoreLeaderChangeLosesLease:
    case StoreFlaky:
    case StoreFull:
    case StoreNearlyFull:
    case StoreCompaction:
    case LeaseLost: return inject_into_store(fault);
    case EngineAway:
    case EngineCrash:
    case EngineHangs:
    case EngineRefuses:
    case EngineSlow:
    case EventsLost:
    case ProbesFail: return inject_into_engine(fault);
    case ContainerEnds:
    case ContainerRemoved:
    case ContainerPaused:
    case ContainerCopied: return inject_into_container(fault);
  }
  return {};
}

Machine& Injector::machine(Fault const& fault) {
  auto const machines = cluster_.machines();
  return *machines[fault.where % machines.size()];
}

Injector::Undo Injector::inject_into_process(Fault const& fault) {
  if (fault.kind == FaultKind::MasterCrash || fault.kind == FaultKind::MasterLeave) {
    auto& ending = master(fault);
    if (fault.kind == FaultKind::MasterLeave) ending.leave();
    else ending.crash();
    return [&ending] { ending.start(); };
  }
  if (fault.kind == FaultKind::MasterPause) return pause(master(fault).machine());
  if (fault.kind == FaultKind::AgentPause) return pause(agent(fault).machine());
  if (fault.kind == FaultKind::AgentCrash) return crash_agent(agent(fault), false);
  if (fault.kind == FaultKind::AgentStateLost) return crash_agent(agent(fault), true);
  if (fault.kind == FaultKind::StateSaveFails) {
    auto& failing = agent(fault);
    failing.fail_saves(true);
    return [&failing] { failing.fail_saves(false); };
  }
  if (fault.kind == FaultKind::GuardCrash) {
    auto& node = agent(fault);
    node.crash_guard();
    return [&node] { node.start_guard(); };
  }
  if (fault.kind == FaultKind::PowerLost) {
    auto& node = agent(fault);
    node.lose_power();
    return [&node] { node.boot(); };
  }
  return inject_into_machine(fault);
}

Injector::Undo Injector::inject_into_machine(Fault const& fault) {
  auto& changed = machine(fault);
  if (fault.kind == FaultKind::MachineSuspend) {
    changed.suspend();
    return [&changed] { changed.wake(); };
  }
  if (fault.kind == FaultKind::ClockRate) {
    changed.set_clock_rate(static_cast<std::int64_t>(fault.other % 2001) - 1000);  // a millisecond in each second: ten bad quartzes
    return [&changed] { changed.set_clock_rate(0); };
  }
  changed.jump_wall(std::chrono::milliseconds(static_cast<std::int64_t>(fault.other % (2 * kWallOff)) - kWallOff));
  return {};
}

Injector::Undo Injector::crash_agent(AgentNode& agent, bool loses_state) {
  agent.crash();
  if (loses_state) agent.lose_state();
  return [&agent] { agent.start(); };
}

Injector::Undo Injector::pause(Machine& machine) {
  auto* process = machine.process();
  if (!process) return {};
  process->pause();
  return [process] { process->resume(); };
}

Injector::Undo Injector::inject_into_network(Fault const& fault) {
  auto& network = cluster_.network();
  if (fault.kind == FaultKind::Partition) return partition(fault.other);
  if (fault.kind == FaultKind::Deaf) return deafen(agent(fault).machine().host());
  auto const a = host(fault.where);
  auto const b = host(fault.where + 1 + fault.other % (network.hosts() - 1));
  if (fault.kind == FaultKind::ConnectionReset) {
    network.break_all(a, b);
    return {};
  }
  if (fault.kind == FaultKind::SlowLink) {
    auto const by = Duration(1ms) * static_cast<std::int64_t>(1 + fault.other / 64 % 800);
    network.slow_down(a, b, by);
    return [&network, a, b, by] { network.slow_down(a, b, -by); };
  }
  if (fault.kind == FaultKind::MessagesDoubled) {
    network.double_messages(a, b, true);
    return [&network, a, b] { network.double_messages(a, b, false); };
  }
  bool const is_both_ways = fault.kind == FaultKind::Cut;
  network.cut(a, b);
  if (is_both_ways) network.cut(b, a);
  return [&network, a, b, is_both_ways] {
    network.heal(a, b);
    if (is_both_ways) network.heal(b, a);
  };
}

Injector::Undo Injector::deafen(HostId deaf) {
  std::vector<std::pair<HostId, HostId>> cuts;
  for (std::uint64_t other = 0; other < cluster_.network().hosts(); ++other) {
    if (host(other) != deaf) cuts.emplace_back(host(other), deaf);
  }
  return cut_all(std::move(cuts));
}

Injector::Undo Injector::partition(std::uint64_t members) {
  std::vector<std::pair<HostId, HostId>> cuts;
  for (std::uint64_t a = 0; a < cluster_.network().hosts(); ++a) {
    for (std::uint64_t b = 0; b < cluster_.network().hosts(); ++b) {
      if ((members >> a & 1) != (members >> b & 1)) cuts.emplace_back(host(a), host(b));
    }
  }
  return cut_all(std::move(cuts));
}

Injector::Undo Injector::cut_all(std::vector<std::pair<HostId, HostId>> cuts) {
  for (auto const& [a, b] : cuts) cluster_.network().cut(a, b);
  return [this, cuts = std::move(cuts)] {
    for (auto const& [a, b] : cuts) cluster_.network().heal(a, b);
  };
}

Injector::Undo Injector::inject_into_store(Fault const& fault) {
  auto& store = cluster_.store();
  switch (fault.kind) {
    case FaultKind::StoreMemberDown: {
      auto& down = member(fault);
      down.go_down();
      return [&down] { down.come_up(); };
    }
    case FaultKind::StoreMemberLags: {
      auto& lagging = member(fault);
      auto const lag = Duration(1ms) * static_cast<std::int64_t>(50 + fault.other % 12'000);
      lagging.set_lag(lag);
      return [&lagging, lag] { lagging.set_lag(-lag); };
    }
    case FaultKind::StoreMemberSlow: {
      auto& slow = member(fault);
      auto const by = Duration(1ms) * static_cast<std::int64_t>(50 + fault.other % 900);
      slow.slow_reads_down(by);
      return [&slow, by] { slow.slow_reads_down(-by); };
    }
    case FaultKind::StoreFlaky: store.set_flaky(true); return [&store] { store.set_flaky(false); };
    case FaultKind::StoreFull: store.set_full(true); return [&store] { store.set_full(false); };
    case FaultKind::StoreNearlyFull:
      store.data().set_quota(store.data().status().size_bytes * 100 / kPercentHeld);
      return [&store] { store.data().set_quota(0); };
    case FaultKind::StoreCompaction: std::ignore = store.data().compact(store.data().revision()); break;
    case FaultKind::LeaseLost: store.lose_lease(); break;
    case FaultKind::StoreLeaderChangeLosesLease: store.change_leader(true); break;
    default: store.change_leader(false);
  }
  return {};
}

Injector::Undo Injector::inject_into_engine(Fault const& fault) {
  auto& node = agent(fault);
  switch (fault.kind) {
    case FaultKind::EngineAway: node.stop_engine(FakeDocker::Fate::LiveOn); return [&node] { node.start_engine(); };
    case FaultKind::EngineCrash: node.stop_engine(FakeDocker::Fate::Die); return [&node] { node.start_engine(); };
    case FaultKind::EngineHangs: node.freeze_engine(); return [&node] { node.thaw_engine(); };
    case FaultKind::EngineRefuses: node.refuse_calls(true); return [&node] { node.refuse_calls(false); };
    case FaultKind::EngineSlow: {
      auto const by = Duration(1ms) * static_cast<std::int64_t>(200 + fault.other % 12'000);
      node.slow_engine_down(by);
      return [&node, by] { node.slow_engine_down(-by); };
    }
    case FaultKind::ProbesFail: node.fail_probes(true); return [&node] { node.fail_probes(false); };
    default: node.lose_events(true); return [&node] { node.lose_events(false); };
  }
}

Injector::Undo Injector::inject_into_container(Fault const& fault) {
  auto& node = agent(fault);
  auto const name = container_of(node, fault.other);
  if (name.empty()) return {};
  if (fault.kind == FaultKind::ContainerRemoved) node.engine().remove(name);
  if (fault.kind == FaultKind::ContainerEnds && fault.other % 5 == 0) node.engine().kill_for_memory(name);
  else if (fault.kind == FaultKind::ContainerEnds) node.engine().kill(name, fault.other % 3 == 0 ? 0 : 137);
  if (fault.kind == FaultKind::ContainerCopied)
    node.engine().add_foreign(fmt::format("{}-copy-{}", kForeign, fault.index), node.engine().find(name)->detail.labels);
  if (fault.kind != FaultKind::ContainerPaused) return {};
  node.engine().pause(name, true);
  return [&node, name] { node.engine().pause(name, false); };
}

}  // namespace davit::sim
