#include "core/cluster/liveness.hpp"

#include <algorithm>

#include "base/planted.hpp"
#include "core/cluster/tick.hpp"

namespace davit::cluster {

Liveness::Liveness(Monotonic session_start, Duration interval) : interval_(interval), last_tick_(session_start) {}

void Liveness::expect(model::NodeLife life, Monotonic now) {
  auto const [at, is_new] = nodes_.try_emplace(life.node, Entry{PhiDetector(interval_, now)});
  auto& entry = at->second;
  if (!is_new && life.incarnation <= entry.incarnation) return;
  entry.incarnation = life.incarnation;
  if (is_new || hearing(life.node, now) != Hearing::Heard) wait_for(*at, now);
}

void Liveness::connected(NodeId node, std::uint64_t incarnation, Monotonic now) {
  expect({node, incarnation}, now);
  auto& entry = nodes_.at(node);
  entry.connected_at = now;
  entry.is_first_of_connection = true;
}

bool Liveness::on_beat(NodeId node, std::uint64_t incarnation, Monotonic now, Monotonic echoed_stamp) {
  auto const at = nodes_.find(node);
  if (at == nodes_.end()) return false;
  auto& entry = at->second;
  if (!entry.connected_at || incarnation < entry.incarnation) return false;
  bool const is_ours = echoed_stamp >= *entry.connected_at && echoed_stamp <= now;
  auto const pace = std::max(interval_, entry.detector.expected());  // it may not have been told the new one yet
  bool const is_late = now - echoed_stamp > kStampAge + pace;
  if ((!is_ours || is_late) && !planted(Bug::BeatsWithoutEcho)) return false;

  entry.incarnation = incarnation;
  entry.detector.expect(interval_);
  if (entry.is_first_of_connection) entry.detector.reset(now);  // the interval would be the length of the break
  else entry.detector.heard(now);
  entry.is_first_of_connection = false;
  entry.was_heard = true;
  enter(*at, Hearing::Heard);
  return true;
}

void Liveness::left(NodeId node) {
  if (auto const at = nodes_.find(node); at != nodes_.end()) at->second.connected_at.reset();
}

void Liveness::forget(NodeId node) {
  auto const at = nodes_.find(node);
  if (at == nodes_.end()) return;
  by_time_.erase({at->second.changes_at, node});
  changed_.erase(node);
  nodes_.erase(at);
}

bool Liveness::on_tick(Monotonic now) {
  bool const is_late = is_tick_late(last_tick_, now);
  last_tick_ = now;
  if (is_late) reset(now);
  return is_late;
}

// The silence was ours. What was never heard has to be heard still, but gets its whole time again.
void Liveness::reset(Monotonic now) {
  for (auto& node : nodes_) {
    if (!node.second.was_heard) {
      wait_for(node, now);
      continue;
    }
    node.second.detector.reset(now);
    enter(node, Hearing::Heard);
  }
  std::ranges::rotate(resets_, resets_.begin() + 1);
  resets_.back() = now;
  if (resets_.front() && now - *resets_.front() <= kWitnessMemory) muted_until_ = now + kWitnessMemory;
}

Hearing Liveness::hearing(NodeId node, Monotonic now) const {
  auto const at = nodes_.find(node);
  if (at == nodes_.end()) return Hearing::Unknown;
  return now >= at->second.changes_at ? Hearing::Lost : at->second.state;
}

Hearing Liveness::hearing(model::NodeLife life, Monotonic now) const { return look(life, now).hearing; }

Liveness::Sight Liveness::look(model::NodeLife life, Monotonic now) const {
  auto const at = nodes_.find(life.node);
  if (at == nodes_.end()) return {Hearing::Unknown, last_tick_};
  auto const& entry = at->second;
  if (entry.incarnation < life.incarnation) return {Hearing::Unknown, entry.waiting_since};
  auto const hearing = now >= entry.changes_at ? Hearing::Lost : entry.state;
  return {hearing, entry.waiting_since, hearing == Hearing::Heard && now >= entry.detector.overdue_at()};
}

std::vector<NodeId> Liveness::take_changed(Monotonic now) {
  lose_silent(now);
  std::vector<NodeId> result;
  for (auto const node : changed_) {
    auto& entry = nodes_.at(node);
    if (entry.told == entry.state) continue;  // changed and changed back
    entry.told = entry.state;
    result.push_back(node);
  }
  changed_.clear();
  return result;
}

void Liveness::lose_silent(Monotonic now) {
  while (!by_time_.empty() && by_time_.begin()->first <= now) enter(*nodes_.find(by_time_.begin()->second), Hearing::Lost);
}

void Liveness::wait_for(Entries::value_type& node, Monotonic now) {
  node.second.waiting_since = now;
  node.second.was_heard = false;
  enter(node, Hearing::Unknown);
}

// Notes when silence changes the state, and that it may be news.
void Liveness::enter(Entries::value_type& node, Hearing state) {
  auto& [id, entry] = node;
  by_time_.erase({entry.changes_at, id});
  switch (state) {
    case Hearing::Unknown: entry.changes_at = entry.waiting_since + kUnknownFor; break;
    case Hearing::Heard: entry.changes_at = entry.detector.suspect_at(); break;
    case Hearing::Lost: entry.changes_at = kNever; break;
  }
  if (state != Hearing::Lost) by_time_.emplace(entry.changes_at, id);
  entry.state = state;
  if (entry.told != state) changed_.insert(id);
}

}  // namespace davit::cluster
