#include "sim/sim_guard.hpp"

#include <utility>

namespace davit::sim {

SimGuard::SimGuard(ports::Loop& loop, FakeDocker& docker, std::string boot, std::vector<model::ContainerLease> file)
    : loop_(loop),
      docker_(docker),
      guard_(std::move(boot)) {
  write(std::move(file));
}

void SimGuard::write(std::vector<model::ContainerLease> all) {
  file_ = std::move(all);
  loop_.post([this] { post(guard::LeasesRead{file_}); });
}

void SimGuard::post(guard::Event const& event) {
  guard::Actions actions;
  guard_.step(loop_.now().monotonic, event, actions);
  for (auto const& action : actions) std::visit([this](auto const& each) { perform(each); }, action);
  timer_->set(guard_.wake_at(), [this] { post(guard::Tick{}); });
}

void SimGuard::perform(guard::Look const& action) {
  guard::Looked looked;
  for (auto const& id : action.containers) {
    auto const* container = docker_.find(id);
    if (container && container->is_alive()) looked.alive.insert(id);
  }
  loop_.post([this, looked = std::move(looked)] { post(looked); });
}

}  // namespace davit::sim
