// One worker of the simulated cluster: a container engine, a disk and a guard that outlive the agent's process, and the production machine
// and driver over them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/agent_driver.hpp"
#include "sim/cluster/engine_client.hpp"
#include "sim/cluster/machine.hpp"
#include "sim/fake_prober.hpp"
#include "sim/net/links.hpp"
#include "sim/sim_guard.hpp"

namespace davit::sim {

// How the names of containers begin that are not the cluster's.
inline constexpr std::string_view kForeign = "foreign";

class AgentNode {
 public:
  AgentNode(Surroundings around, std::string name, NodeId id, Random random, std::vector<model::MasterAddress> masters);
  ~AgentNode();
  AgentNode(AgentNode const&) = delete;
  AgentNode& operator=(AgentNode const&) = delete;

  Machine& machine() { return machine_; }
  Machine const& machine() const { return machine_; }
  FakeDocker& engine() { return engine_; }
  FakeDocker const& engine() const { return engine_; }
  void share() { is_shared_ = true; }  // with what else runs there
  void crash();  // as often as it is started again
  void start();
  agent::Agent const* agent() const { return life_ ? &life_->driver.agent() : nullptr; }

  bool runs_well(InstanceId instance) const;  // a container of it runs, and is not unhealthy

  // ---- its engine; faults may overlap
  void stop_engine(FakeDocker::Fate containers);
  void start_engine();
  void freeze_engine();
  void thaw_engine();
  void slow_engine_down(Duration by);  // starts and creations
  void refuse_calls(bool refused) { refusals_ += refused ? 1 : -1; }
  void lose_events(bool lost);

  void fail_probes(bool failing) { failing_probes_ += failing ? 1 : -1; }  // half of them
  Monotonic probe_failed_at() const { return probe_failed_at_; }           // the last one; by the machine's clock

  // ---- its guard
  void crash_guard();
  void start_guard();
  // When it ends the container, at the latest, by the machine's own clock: zero for one that it has not been told of.
  Monotonic lease_end(std::string const& container) const;
  std::vector<model::ContainerLease> const& leases() const { return leases_; }  // its file

  // All that runs on it ends at once, and nobody is told.
  void lose_power();
  void boot();

  // ---- its disk
  model::AgentState const& state() const { return state_; }
  void lose_state();  // read at the next start
  void fail_saves(bool failing) { failing_saves_ += failing ? 1 : -1; }

 private:
  class Disk final : public ports::StateFile {
   public:
    Disk(AgentNode& node, ProcessLoop& process) : node_(node), process_(process) {}
    void save(model::AgentState state, ports::Done<void> done) override;

   private:
    AgentNode& node_;
    ProcessLoop& process_;
  };
  class Leases final : public ports::LeaseFile {
   public:
    Leases(AgentNode& node, ProcessLoop& process) : node_(node), process_(process) {}
    void write(std::vector<model::ContainerLease> all, ports::Done<void> done) override;

   private:
    AgentNode& node_;
    ProcessLoop& process_;
  };
  // Something else runs there too, and now and then it changes.
  struct Meter final : ports::LoadMeter {
    explicit Meter(AgentNode& of) : node(of) {}
    model::NodeLoad measure() override;
    AgentNode& node;
    model::NodeLoad load;
  };
  struct Life {
    Life(AgentNode& node, Place place);
    Life(Life const&) = delete;
    Life& operator=(Life const&) = delete;
    EngineClient engine;
    MasterLink masters;
    Disk disk;
    Leases leases;
    Meter meter;
    FakeProber prober;
    drivers::AgentDriver driver;
  };

  std::string boot_name() const { return machine_.name() + "-boot" + std::to_string(boots_); }
  std::optional<FakeDocker::Fault> next_fault(model::EngineCall const& call);
  Status answer_probe();

  Machine machine_;
  std::vector<model::MasterAddress> masters_;
  FakeDocker engine_;
  int engine_stops_ = 0;
  int freezes_ = 0;
  Duration slowness_{};
  int refusals_ = 0;
  int event_losses_ = 0;
  int failing_probes_ = 0;
  Monotonic probe_failed_at_ = Monotonic::min();
  model::AgentState state_;
  int failing_saves_ = 0;
  std::vector<model::ContainerLease> leases_;
  int boots_ = 1;
  std::unique_ptr<SimGuard> guard_;
  int guard_crashes_ = 0;
  std::unique_ptr<Life> life_;
  int crashes_ = 1;  // until it is started
  bool is_shared_ = false;
};

}  // namespace davit::sim
