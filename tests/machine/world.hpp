// One machine on virtual time: the production machines and drivers over a store and an engine in memory, with a process in
// between that can be killed at any moment and started again.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "adapters/link_local/link_local.hpp"
#include "drivers/agent_driver.hpp"
#include "drivers/master_driver.hpp"
#include "sim/fake_engine.hpp"
#include "sim/fake_prober.hpp"
#include "sim/memory_store.hpp"
#include "sim/sim_guard.hpp"
#include "sim/virtual_loop.hpp"

namespace davit::sim {

class World {
 public:
  explicit World(std::uint64_t seed = 1) : docker(loop, {.seed = seed}) { docker.lose_events(kLostOneIn); }
  ~World() { kill_process(); }

  static constexpr unsigned kLostOneIn = 8;  // events are lossy
  VirtualLoop loop;
  FakeDocker docker;
  SimGuard node_guard{loop, docker, "boot1"};
  bool has_guard = true;  // as processes that start from now on are told

  void start_process();  // until its master acts
  void kill_process();  // as by SIGKILL: what is in flight may still happen outside
  bool is_running() const { return process_ != nullptr; }
  void forget_agent_state() { agent_state_ = {.node = agent_state_.node}; }

  master::Master const& master() const { return process_->master.master(); }
  agent::Agent const& agent() const { return process_->agent.agent(); }
  MemoryStore& store() { return process_->store; }
  std::shared_ptr<MemoryKv> const& data() const { return data_; }  // outlives processes
  void stop_services() { process_->agent.stop_services(); }
  std::vector<std::string> const& notes() const { return notes_; }

  // Asked for each commit, with its number from 1 on over all processes; nothing means that it goes well.
  struct StoreFault {
    Code code = Code::Unavailable;
    bool is_done = false;
  };
  std::function<std::optional<StoreFault>(std::uint64_t number)> on_commit;
  std::uint64_t commits() const { return commits_; }
  std::function<void(ports::Commit const&)> on_sent = [](ports::Commit const&) {};  // each, whatever comes of it
  // The same for the agent's state file, which is never written when it fails.
  std::function<Status()> on_save = [] { return Status{}; };
  // Asked for each probe; nothing means that the instance passes.
  std::function<Status(model::ProbeTarget const&)> on_probe;
  std::vector<master::Transition> const& transitions() const { return transitions_; }

  // Runs the loop until the command is answered.
  Result<master::Applied> command(service::Command command);
  Result<master::Applied> create(std::string const& name, model::ServiceSpec spec);
  Result<master::Applied> replace(std::string const& name, model::ServiceSpec spec);
  Result<master::Applied> remove(std::string const& name);
  // Sends it without waiting.
  void send(service::Command command);
  void send(model::NodeCommand command, ports::Done<master::Applied> done) {
    process_->master.node_command(std::move(command), std::move(done));
  }

  service::ServiceStatus status(std::string const& name) const;
  bool settle(Duration limit);        // until nothing is pending, in master and agent
  std::string pending() const;        // why not

 private:
  struct InMemoryState final : ports::StateFile {
    explicit InMemoryState(World& owner) : world(owner), state(owner.agent_state_) {}
    void save(model::AgentState saved, ports::Done<void> done) override;
    World& world;
    model::AgentState& state;
    std::shared_ptr<bool> alive = std::make_shared<bool>(true);
  };
  struct LeasesForGuard final : ports::LeaseFile {
    explicit LeasesForGuard(World& owner) : world(owner) {}
    void write(std::vector<model::ContainerLease> all, ports::Done<void> done) override;
    World& world;
    std::shared_ptr<bool> alive = std::make_shared<bool>(true);
  };
  struct Idle final : ports::LoadMeter {
    model::NodeLoad measure() override { return {}; }
  };
  // The link's posts die with the process.
  struct GuardedLoop final : ports::Loop {
    explicit GuardedLoop(VirtualLoop& owner) : loop(owner) {}
    Now now() const override { return loop.now(); }
    void post(std::function<void()> function) override;
    std::unique_ptr<ports::Timer> make_timer() override { return loop.make_timer(); }
    VirtualLoop& loop;
    std::shared_ptr<bool> alive = std::make_shared<bool>(true);
  };
  // The store as the master sees it: on_commit decides what fails.
  struct FaultyStore final : ports::Store {
    FaultyStore(World& owner, MemoryStore& below) : world(owner), store(below) {}
    void commit(ports::Commit commit, Monotonic deadline, ports::Done<ports::Committed> done) override;
    void range(ports::Range range, Monotonic deadline, ports::Done<ports::RangeResult> done) override {
      store.range(std::move(range), deadline, std::move(done));
    }
    std::unique_ptr<ports::Watch> watch(std::string prefix, std::int64_t from,
                                        std::function<void(ports::WatchBatch const&)> on_batch) override {
      return store.watch(std::move(prefix), from, std::move(on_batch));
    }
    void grant_lease(Duration ttl, Monotonic deadline, ports::Done<ports::LeaseGranted> done) override {
      store.grant_lease(ttl, deadline, std::move(done));
    }
    void renew_lease(std::int64_t lease, Monotonic deadline, ports::Done<ports::LeaseGranted> done) override {
      store.renew_lease(lease, deadline, std::move(done));
    }
    void revoke_lease(std::int64_t lease, Monotonic deadline, ports::Done<void> done) override {
      store.revoke_lease(lease, deadline, std::move(done));
    }
    void compact(std::int64_t before_revision, Monotonic deadline, ports::Done<void> done) override {
      store.compact(before_revision, deadline, std::move(done));
    }
    void status(Monotonic deadline, ports::Done<ports::StoreStatus> done) override { store.status(deadline, std::move(done)); }
    void stop() override { store.stop(); }
    World& world;
    MemoryStore& store;
  };
  struct Process {
    Process(World& world, std::string session);
    GuardedLoop loop;
    MemoryStore store;
    FaultyStore faulty_store;
    FakeEngine engine;
    link_local::LocalLink link;
    link_local::NoPeers peers;
    InMemoryState state_file;
    LeasesForGuard leases;
    Idle load;
    FakeProber prober;
    drivers::MasterDriver master;
    drivers::AgentDriver agent;
  };

  std::shared_ptr<MemoryKv> data_ = std::make_shared<MemoryKv>(loop);
  model::AgentState agent_state_{.node = {4711}};
  std::vector<master::Transition> transitions_;
  std::vector<std::string> notes_;
  std::uint64_t commits_ = 0;
  std::unique_ptr<Process> process_;
  int starts_ = 0;
};

}  // namespace davit::sim
