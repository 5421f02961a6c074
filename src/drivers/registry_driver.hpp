// Runs a machine that asks the registry and belongs to no agent (a Registrar, a Sweeper): performs its actions and posts one completion for
// each. Owned by the app; control thread.
#pragma once

#include <functional>
#include <utility>

#include "core/registry/registrar.hpp"
#include "drivers/machine_inbox.hpp"
#include "ports/loop.hpp"
#include "ports/registry.hpp"

namespace davit::drivers {

template <class Machine>
class RegistryDriver {
 public:
  RegistryDriver(ports::Loop& loop, ports::Registry& registry, Machine machine, std::function<void(registry::Noted const&)> on_noted)
      : registry_(registry),
        machine_(std::move(machine)),
        on_noted_(std::move(on_noted)),
        inbox_(loop, machine_, [this](registry::Actions& actions) {
          for (auto& action : actions) std::visit([this](auto& each) { this->perform(each); }, action);
        }) {}

  void post(Machine::Event event) { inbox_.post(std::move(event)); }
  void stop() { inbox_.stop(); }
  Machine const& machine() const { return machine_; }

 private:
  void perform(registry::Call& action) {
    registry_.call(std::move(action.what), action.deadline, [this, op = action.op](Result<model::RegistryReply> outcome) {
      inbox_.post(registry::CallDone{op, std::move(outcome)});
    });
  }
  void perform(registry::Noted& action) { on_noted_(action); }

  ports::Registry& registry_;
  Machine machine_;
  std::function<void(registry::Noted const&)> on_noted_;
  MachineInbox<Machine, typename Machine::Event, registry::Actions, registry::Tick> inbox_;
};

}  // namespace davit::drivers
