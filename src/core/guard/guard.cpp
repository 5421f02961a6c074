#include "core/guard/guard.hpp"

#include <algorithm>

namespace davit::guard {

void Guard::step(Monotonic now, Event const& event, Actions& actions) {
  now_ = now;
  out_ = &actions;
  std::visit([this](auto const& each) { on(each); }, event);
  for (auto& [container, watched] : watched_) advance(container, watched);
  look();
  out_ = nullptr;
}

Monotonic Guard::wake_at() const {
  auto at = next_look_;
  for (auto const& [container, watched] : watched_) {
    if (watched.phase == Phase::Covered) at = std::min(at, watched.end);
    if (watched.phase == Phase::Signalled) at = std::min(at, watched.kill_at);
  }
  return at;
}

// A container that is not listed any more has been removed.
void Guard::on(LeasesRead const& event) {
  std::map<std::string, Watched> listed;
  for (auto const& lease : event.all) {
    if (lease.boot != boot_) continue;
    auto const known = watched_.find(lease.container);
    auto& watched = listed[lease.container];
    if (known != watched_.end()) watched = known->second;
    watched.end = lease.end;
    if (lease.end == model::kNeverAgain) watched.phase = Phase::Empty;
    else if (lease.end > now_) watched.phase = Phase::Covered;
  }
  watched_ = std::move(listed);
}

void Guard::on(Looked const& event) {
  for (auto const& [container, watched] : watched_) {
    if (watched.phase == Phase::Empty && event.alive.contains(container)) out_->push_back(Kill{container});
  }
}

void Guard::advance(std::string const& container, Watched& watched) {
  if (watched.phase == Phase::Covered && watched.end <= now_) {
    watched.phase = Phase::Signalled;
    watched.kill_at = now_ + kKillAfter;
    out_->push_back(Signal{container});
  }
  if (watched.phase == Phase::Signalled && watched.kill_at <= now_) {
    watched.phase = Phase::Empty;
    out_->push_back(Kill{container});
  }
}

void Guard::look() {
  std::vector<std::string> empty;
  for (auto const& [container, watched] : watched_) {
    if (watched.phase == Phase::Empty) empty.push_back(container);
  }
  if (empty.empty()) {
    next_look_ = kNever;
  } else if (next_look_ == kNever) {
    next_look_ = now_ + kLookEvery;
  } else if (next_look_ <= now_) {
    next_look_ = now_ + kLookEvery;
    out_->push_back(Look{std::move(empty)});
  }
}

}  // namespace davit::guard
