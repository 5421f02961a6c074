// One simulated machine: its place in the network, its clocks, the process that matters on it, in one life after the other, and perhaps a
// companion beside that.
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

  Now now() const { return clock_.now(); }

  Place begin_process();
  void end_process();  // as by SIGKILL: what it has sent may still arrive
  ProcessLoop* process() const { return lives_.empty() || !lives_.back()->is_alive() ? nullptr : lives_.back().get(); }
  std::size_t lives() const { return lives_.size(); }
  ProcessLoop& begin_companion();
  void end_companion() { companions_.back()->kill(); }

  // The whole machine stands still; its boot clock goes on.
  void suspend();
  void wake();
  bool is_suspended() const { return suspensions_ > 0; }
  Monotonic woken_at() const { return woken_at_; }  // last, in true time
  // Between the end of its processes and their new lives.
  void reboot() { clock_.reboot(); }
  void set_clock_rate(std::int64_t parts_per_million);
  void jump_wall(std::chrono::milliseconds off_by) { clock_.jump_wall(off_by); }

 private:
  ProcessLoop& begin(std::vector<std::unique_ptr<ProcessLoop>>& lives);

  Surroundings around_;
  std::string name_;
  NodeId id_;
  HostId host_;
  Random random_;
  HostClock clock_;
  std::vector<std::unique_ptr<ProcessLoop>> lives_;
  std::vector<std::unique_ptr<ProcessLoop>> companions_;
  int suspensions_ = 0;
  std::vector<ProcessLoop*> suspended_;
  Monotonic woken_at_{};
};

}  // namespace davit::sim
