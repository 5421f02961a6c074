// Runs the Agent: performs its actions through the ports and posts one completion for each. Knows no order and decides nothing.
// Owned by the app; control thread.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/agent/agent.hpp"
#include "drivers/machine_inbox.hpp"
#include "ports/directory.hpp"
#include "ports/engine.hpp"
#include "ports/link.hpp"
#include "ports/loop.hpp"
#include "ports/node.hpp"
#include "ports/prober.hpp"
#include "ports/registry.hpp"

namespace davit::drivers {

class AgentDriver {
 public:
  struct Ports {
    ports::Loop& loop;
    ports::Engine& engine;
    ports::MasterLink& masters;
    ports::StateFile& state_file;
    ports::LoadMeter& load;
    ports::Prober& prober;
    ports::LeaseFile* leases = nullptr;  // none where there is no guard
    std::vector<ports::DirectoryUser*> directory_users = {};
    ports::Registry* registry = nullptr;  // by agent::Options::has_registry
  };
  AgentDriver(Ports ports, agent::Options options, model::AgentState state, std::function<void(agent::Noted const&)> on_noted);

  void start();
  void stop_services() { inbox_.post(agent::StopServices{}); }
  void stop();
  agent::Agent const& agent() const { return agent_; }

 private:
  void perform(agent::Actions& actions);
  void perform(agent::Call& action);
  void perform(agent::Send& action);
  void perform(agent::KeepConnected& action);
  void perform(agent::SaveState& action);
  void perform(agent::WriteLeases& action);
  void perform(agent::Probe& action);
  void perform(agent::AskRegistry& action);
  void perform(agent::ShowDirectory& action);
  void perform(agent::Noted& action);
  void measure_load();

  Ports ports_;
  agent::Agent agent_;
  std::function<void(agent::Noted const&)> on_noted_;
  MachineInbox<agent::Agent, agent::Event, agent::Actions, agent::Tick> inbox_;
  std::unique_ptr<ports::Timer> load_timer_;
};

}  // namespace davit::drivers
