// Runs the Master: performs its actions through the ports and posts one completion for each. Knows no order and decides nothing.
// Owned by the app; control thread.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "core/master/master.hpp"
#include "drivers/machine_inbox.hpp"
#include "ports/done.hpp"
#include "ports/link.hpp"
#include "ports/loop.hpp"
#include "ports/peer.hpp"
#include "ports/store.hpp"

namespace davit::drivers {

class MasterDriver {
 public:
  struct Ports {
    ports::Loop& loop;
    ports::Store& store;
    ports::AgentLink& agents;
    ports::PeerLink& peers;
  };
  struct Listeners {
    std::function<void(master::Transition const&)> on_changed;
    std::function<void(master::Noted const&)> on_noted;
  };
  MasterDriver(Ports ports, master::Options options, Listeners listeners);

  void start();
  void stop();
  // Hands what this master holds to others, within five seconds; then runs `on_left`. Stop it after that.
  void leave(std::function<void()> on_left);
  // `done` runs when the event is durable, or the command was refused.
  void command(model::Command command, ports::Done<master::Applied> done);
  void node_command(model::NodeCommand command, ports::Done<master::Applied> done);
  // The events of a service that are kept, oldest first.
  void read_history(std::string const& service, ports::Done<std::vector<model::JournalEvent>> done);
  master::Master const& master() const { return master_; }

 private:
  void perform(master::Actions& actions);
  void perform(master::Load& action);
  void perform(master::Follow& action);
  void perform(master::GrantLease& action);
  void perform(master::RenewLease& action);
  void perform(master::RevokeLease& action);
  void perform(master::ReadRevision& action);
  void perform(master::Write& action);
  void perform(master::Compact& action);
  void perform(master::MeasureStore& action);
  void perform(master::Send& action);
  void perform(master::SendPeer& action);
  void perform(master::KeepPeers& action);
  void perform(master::Reply& action);
  void perform(master::Left& action);
  void perform(master::Changed& action);
  void perform(master::Noted& action);
  void on_batch(ports::WatchBatch const& batch);
  void on_lease(master::OpId op, Result<ports::LeaseGranted> const& lease);

  Ports ports_;
  Listeners listeners_;
  master::Master master_;
  std::map<master::CommandId, ports::Done<master::Applied>> replies_;
  std::function<void()> on_left_;
  master::CommandId next_command_ = 1;
  MachineInbox<master::Master, master::Event, master::Actions, master::Tick> inbox_;
  std::unique_ptr<ports::Watch> watch_;
};

}  // namespace davit::drivers
