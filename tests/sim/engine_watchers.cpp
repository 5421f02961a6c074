#include "sim/engine_watchers.hpp"

#include <utility>

namespace davit::sim {
namespace {

// A ping every five seconds, which may take as long (adapters/engine_docker).
constexpr Duration kPatience = 10s;

}  // namespace

void EngineWatchers::add(std::uint64_t caller, std::function<void(model::EngineHint)> on_hint) {
  auto& watcher = all_[caller] = {.on_hint = std::move(on_hint), .told = Told::Nothing, .held_back = {}};
  introduce(caller, watcher);
}

// One that comes while the engine is frozen, but not yet taken for gone, is told nothing so far.
void EngineWatchers::introduce(std::uint64_t caller, Watcher& watcher) {
  if (!why_down_.empty()) return tell_down(caller, watcher);
  if (is_frozen_ || watcher.told == Told::Up) return;
  watcher.told = Told::Up;
  deliver(caller, model::EngineUp{});
}

void EngineWatchers::tell_down(std::uint64_t caller, Watcher& watcher) {
  watcher.held_back.clear();
  if (watcher.told == Told::Down) return;
  watcher.told = Told::Down;
  deliver(caller, model::EngineDown{why_down_});
}

void EngineWatchers::deliver(std::uint64_t caller, model::EngineHint hint) {
  loop_.post([this, alive = std::weak_ptr(alive_), caller, hint = std::move(hint)] {
    if (alive.expired()) return;
    auto const found = all_.find(caller);
    if (found == all_.end()) return;
    auto const on_hint = found->second.on_hint;  // a copy: it may end its watch
    on_hint(hint);
  });
}

void EngineWatchers::tell(model::EngineHint const& event) {
  for (auto const& [caller, watcher] : all_) tell(caller, event);
}

void EngineWatchers::tell(std::uint64_t caller, model::EngineHint const& event) {
  auto const found = all_.find(caller);
  if (found == all_.end() || found->second.told != Told::Up) return;
  if (is_frozen_) found->second.held_back.push_back(event);
  else deliver(caller, event);
}

void EngineWatchers::set_down(std::string why) {
  is_frozen_ = false;
  patience_->cancel();
  why_down_ = std::move(why);
  for (auto& [caller, watcher] : all_) introduce(caller, watcher);
}

void EngineWatchers::set_up() {
  why_down_.clear();
  for (auto& [caller, watcher] : all_) introduce(caller, watcher);
}

void EngineWatchers::set_frozen(bool frozen) {
  is_frozen_ = frozen;
  if (frozen) {
    patience_->set(loop_.now().monotonic + kPatience, [this] {
      why_down_ = "no answer in time: the engine hangs or is overloaded";
      for (auto& [caller, watcher] : all_) introduce(caller, watcher);
    });
    return;
  }
  patience_->cancel();
  set_up();
  for (auto& [caller, watcher] : all_) {
    for (auto& event : std::exchange(watcher.held_back, {})) deliver(caller, std::move(event));
  }
}

}  // namespace davit::sim
