// The cluster's directory, from one master at a time. Each agent chooses by its own order, so that the masters share the telling. What was
// shown last stays, whatever becomes of the masters.
#include <algorithm>
#include <set>
#include <utility>

#include "core/agent/agent.hpp"

namespace davit::agent {
namespace {

constexpr Duration kSilence = 3s;
constexpr std::int64_t kBeatsMissed = 3;  // each is answered
constexpr Duration kTellsWithin = 10s;
constexpr std::int64_t kBeatsUntold = 6;
constexpr Duration kAskAgain = 1s;

// The node itself listens on them.
std::set<std::pair<model::Protocol, std::uint16_t>> ingress_ports(model::Directory const& directory) {
  std::set<std::pair<model::Protocol, std::uint16_t>> all;
  for (auto const& [name, entry] : directory.services) {
    for (auto const& port : entry->ingress) all.emplace(port.protocol, port.published);
  }
  return all;
}

}  // namespace

void Agent::keep_following() {
  bool const is_silent = now_.monotonic >= followed_at_ + std::max<Duration>(kSilence, kBeatsMissed * beat_interval_);
  auto const tells_within = std::max<Duration>(kTellsWithin, kBeatsUntold * beat_interval_);  // many may be told before this one
  bool const is_of_no_use = !is_whole_ && now_.monotonic >= told_at_ + tells_within;  // a master of an older version, say
  if (follows_ && (is_silent || is_of_no_use) && masters_.size() > 1) {
    knows_nothing_.insert(*follows_);
    send(*follows_, model::FollowDirectory{.is_wanted = false});
    stop_following();
  }
  if (follows_) return;
  auto chosen = master_to_follow();
  if (!chosen && now_.monotonic >= ask_again_at_) {
    knows_nothing_.clear();
    ask_again_at_ = now_.monotonic + kAskAgain;
    chosen = master_to_follow();
  }
  if (!chosen) return;
  follows_ = chosen;
  followed_at_ = told_at_ = now_.monotonic;
  send(*chosen, model::FollowDirectory{.is_wanted = true});
}

std::optional<NodeId> Agent::master_to_follow() const {
  std::optional<NodeId> chosen;
  std::uint64_t best = 0;
  for (auto const& [master, stamp] : masters_) {
    if (foreign_.contains(master) || knows_nothing_.contains(master)) continue;
    auto const rank = stable_hash(to_string(master) + to_string(state_.node));
    if (chosen && rank <= best) continue;
    chosen = master;
    best = rank;
  }
  return chosen;
}

void Agent::stop_following() {
  follows_.reset();
  is_whole_ = false;
  directory_.reset();
}

void Agent::on_message(NodeId master, model::DirectoryChanged const& message) {
  if (master != follows_) return send(master, model::FollowDirectory{.is_wanted = false});  // it has taken an earlier word for the last
  if (message.is_over) {
    knows_nothing_.insert(master);
    stop_following();
    keep_following();
    return;
  }
  if (message.is_first) directory_ = std::make_shared<model::Directory>();
  if (!directory_) return;
  for (auto const& change : message.services) model::apply(*directory_, change);
  for (auto const& change : message.nodes) model::apply(*directory_, change);
  is_whole_ = message.is_whole;
  told_at_ = now_.monotonic;
  if (!is_whole_) return;
  shown_ = std::make_shared<model::Directory const>(*directory_);
  ports_.reserve(ingress_ports(*shown_));
  out_->push_back(ShowDirectory{shown_});
}

}  // namespace davit::agent
