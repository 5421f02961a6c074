#include "machine/sim_guard.hpp"

namespace davit::sim {

void SimGuard::write(std::vector<model::ContainerLease> all) {
  file_ = std::move(all);
  post(guard::LeasesRead{file_});
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
    if (container && container->detail.state == model::ContainerState::Running) looked.alive.insert(id);
  }
  loop_.post([this, looked = std::move(looked)] { post(looked); });
}

}  // namespace davit::sim
