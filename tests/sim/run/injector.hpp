// Makes the faults of a schedule happen, each at its time, and end. Owned by the run.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sim/run/fault.hpp"

namespace davit::sim {

class Injector {
 public:
  Injector(Cluster& cluster, Observer& observer) : cluster_(cluster), observer_(observer) {}

  void schedule(std::vector<Fault> const& faults);
  std::map<FaultKind, std::uint64_t> const& injected() const { return injected_; }

 private:
  using Undo = std::function<void()>;

  void begin(Fault const& fault);
  // Begins it, and says how it ends.
  Undo inject(Fault const& fault);
  Undo inject_into_process(Fault const& fault);
  Undo inject_into_machine(Fault const& fault);
  Undo inject_into_network(Fault const& fault);
  Undo inject_into_store(Fault const& fault);
  Undo inject_into_engine(Fault const& fault);
  Undo inject_into_container(Fault const& fault);
  Undo crash_agent(AgentNode& agent, bool loses_state);
  Undo pause(Machine& machine);
  Undo partition(std::uint64_t members);
  Undo deafen(HostId deaf);
  Undo cut_all(std::vector<std::pair<HostId, HostId>> cuts);

  MasterNode& master(Fault const& fault) { return *cluster_.masters()[fault.where % cluster_.masters().size()]; }
  AgentNode& agent(Fault const& fault) { return *cluster_.agents()[fault.where % cluster_.agents().size()]; }
  StoreMember& member(Fault const& fault) { return *cluster_.store().members()[fault.where % cluster_.store().members().size()]; }
  Machine& machine(Fault const& fault);
  HostId host(std::uint64_t number) const { return HostId(number % cluster_.network().hosts()); }

  Cluster& cluster_;
  Observer& observer_;
  std::map<FaultKind, std::uint64_t> injected_;
};

}  // namespace davit::sim
