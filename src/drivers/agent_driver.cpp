#include "drivers/agent_driver.hpp"

namespace davit::drivers {
namespace {
constexpr Duration kBeatInterval = 1s;
}

AgentDriver::AgentDriver(Ports ports, agent::Options options, model::AgentState state, std::function<void(agent::Noted const&)> on_noted)
    : ports_(ports),
      agent_(std::move(options), std::move(state)),
      on_noted_(std::move(on_noted)),
      inbox_(ports.loop, agent_, [this](agent::Actions& actions) { perform(actions); }),
      load_timer_(ports.loop.make_timer()) {}

void AgentDriver::start() {
  ports_.masters.receive(
      {.on_joined = [this](NodeId master) { inbox_.post(agent::MasterJoined{master}); },
       .on_message = [this](NodeId master, model::ToAgent message) { inbox_.post(agent::FromMaster{master, std::move(message)}); },
       .on_left = [this](NodeId master) { inbox_.post(agent::MasterLeft{master}); }});
  ports_.engine.watch([this](model::EngineHint hint) { inbox_.post(agent::EngineHinted{std::move(hint)}); });
  measure_load();
}

void AgentDriver::stop() {
  load_timer_->cancel();
  inbox_.stop();
}

void AgentDriver::measure_load() {
  inbox_.post(agent::LoadMeasured{ports_.load.measure()});
  load_timer_->set(ports_.loop.now().monotonic + kBeatInterval, [this] { measure_load(); });
}

void AgentDriver::perform(agent::Actions& actions) {
  for (auto& action : actions) std::visit([this](auto& each) { perform(each); }, action);
}

void AgentDriver::perform(agent::Call& action) {
  ports_.engine.call(std::move(action.what), action.deadline,
                     [this, op = action.op](Result<model::EngineReply> outcome) { inbox_.post(agent::CallDone{op, std::move(outcome)}); });
}

void AgentDriver::perform(agent::Send& action) { ports_.masters.send(action.master, std::move(action.message)); }

void AgentDriver::perform(agent::KeepConnected& action) { ports_.masters.keep_connected(std::move(action.masters)); }

void AgentDriver::perform(agent::SaveState& action) {
  ports_.state_file.save(std::move(action.state), [this](Status outcome) { inbox_.post(agent::StateSaved{std::move(outcome)}); });
}

void AgentDriver::perform(agent::WriteLeases& action) {
  auto const done = [this](Status outcome) { inbox_.post(agent::LeasesWritten{std::move(outcome)}); };
  if (ports_.leases) ports_.leases->write(std::move(action.all), done);
  else done(fail(Code::Unsupported, "no guard runs on this node"));
}

void AgentDriver::perform(agent::Probe& action) {
  ports_.prober.probe(std::move(action.target), action.deadline,
                      [this, op = action.op](Status outcome) { inbox_.post(agent::Probed{op, std::move(outcome)}); });
}

void AgentDriver::perform(agent::AskRegistry& action) {
  ports_.registry->call(std::move(action.what.what), action.what.deadline,
                        [this, op = action.what.op](Result<model::RegistryReply> outcome) {
                          inbox_.post(agent::RegistryAnswered{{op, std::move(outcome)}});
                        });
}

void AgentDriver::perform(agent::ShowDirectory& action) {
  for (auto* user : ports_.directory_users) user->show(action.directory);
}

void AgentDriver::perform(agent::Noted& action) { on_noted_(action); }

}  // namespace davit::drivers
