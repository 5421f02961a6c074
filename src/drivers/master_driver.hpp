// Runs the Master: performs its actions through the ports and posts one completion for each. Knows no order and decides nothing.
// Owned by the app; control thread.
#pragma once

#include <functional>
#include <map>

#include "core/master/master.hpp"
#include "drivers/machine_inbox.hpp"
#include "ports/done.hpp"
#include "ports/link.hpp"
#include "ports/loop.hpp"
#include "ports/store.hpp"

namespace davit::drivers {

class MasterDriver {
 public:
  struct Ports {
    ports::Loop& loop;
    ports::Store& store;
    ports::AgentLink& agents;
  };
  struct Listeners {
    std::function<void(master::Transition const&)> on_changed;
    std::function<void(master::Noted const&)> on_noted;
  };
  MasterDriver(Ports ports, master::Options options, Listeners listeners);

  void start();
  void stop() { inbox_.stop(); }
  // `done` runs when the event is durable, or the command was refused.
  void command(service::Command command, ports::Done<master::Applied> done);
  // The events of a service that are kept, oldest first.
  void read_history(std::string const& service, ports::Done<std::vector<model::JournalEvent>> done);
  master::Master const& master() const { return master_; }

 private:
  void perform(master::Actions& actions);
  void perform(master::Load& action);
  void perform(master::Write& action);
  void perform(master::Send& action);
  void perform(master::Reply& action);
  void perform(master::Changed& action);
  void perform(master::Noted& action);

  Ports ports_;
  Listeners listeners_;
  master::Master master_;
  std::map<master::CommandId, ports::Done<master::Applied>> replies_;
  master::CommandId next_command_ = 1;
  MachineInbox<master::Master, master::Event, master::Actions, master::Tick> inbox_;
};

}  // namespace davit::drivers
