// One simulated machine: its place in the network, its clocks, and the process that matters on it, in one life after the other.
// Faults may overlap: what was taken away twice has to be given back twice.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/net/delays.hpp"
#include "sim/net/dialler.hpp"
#include "sim/observer.hpp"

namespace davit::sim {

// What every machine stands in.
struct Surroundings {
  Network& network;
  Directory& directory;
  Delays& delays;
  Observer& observer;
  VirtualLoop& loop() const { return network.loop(); }
};

class Machine {
 public:
  Machine(Surroundings around, std::string name, NodeId id, Random random);
  Machine(Machine const&) = delete;
  Machine& operator=(Machine const&) = delete;

  std::string const& name() const { return name_; }
  NodeId id() const { return id_; }
  HostId host() const { return host_; }
  Random& random() { return random_; }
  Surroundings const& around() const { return around_; }

  Place begin_process();
  void end_process();  // as by SIGKILL: what it has sent may still arrive
  ProcessLoop* process() const { return lives_.empty() || !lives_.back()->is_alive() ? nullptr : lives_.back().get(); }
  std::size_t lives() const { return lives_.size(); }

  // The whole machine stands still; its boot clock goes on.
  void suspend();
  void wake();
  void set_clock_rate(std::int64_t parts_per_million);
  void jump_wall(std::chrono::milliseconds off_by) { clock_.jump_wall(off_by); }

 private:
  Surroundings around_;
  std::string name_;
  NodeId id_;
  HostId host_;
  Random random_;
  HostClock clock_;
  std::vector<std::unique_ptr<ProcessLoop>> lives_;
  int suspensions_ = 0;
  std::vector<ProcessLoop*> suspended_;
};

}  // namespace davit::sim
