// What one master hears of the workers itself (protocol.md §6). One per master session, on the control thread; what the other masters hear
// comes through the store and is Downing's.
//
//   Unknown ──a beat counts──► Heard ──silence until suspect_at()──► Lost ──a beat counts──► Heard
//      └──────30 s──────► Lost
//
// A beat counts when it echoes a stamp that this master sent on this connection in the last 2 s + interval: only then do both ways work.
// The first beat of a connection cannot; so the master stamps every beat back at once, and the agent answers the first stamp of a
// connection with a beat at once: a node is heard a round trip after it connected. A closed connection alone is no loss.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "core/cluster/phi.hpp"
#include "model/records.hpp"

namespace davit::cluster {

enum class Hearing : std::uint8_t { Unknown, Heard, Lost };

inline constexpr Duration kStampAge = 2s;       // an echo may be as old as this and one interval
inline constexpr Duration kUnknownFor = 30s;    // a worker that was never heard counts as lost after it
inline constexpr Duration kWitnessMemory = 30s;  // three resets within it: no witness for as long
inline constexpr std::size_t kResetsToMute = 3;

// How often each agent beats to each master: 1 s, and n/2000 s above 2,000 workers, so that a master gets 2,000 beats a second at most.
constexpr Duration beat_interval(std::size_t workers) {
  return workers <= 2000 ? Duration(1s) : Duration(500us) * static_cast<Duration::rep>(workers);
}

// By when a node is heard that is there: its first beat may echo what an earlier session has stamped, and the next one counts.
constexpr Duration hears_within(Duration interval) { return std::max(kStampAge, interval + 1s) + interval; }

class Liveness {
 public:
  explicit Liveness(Monotonic session_start, Duration interval = 1s);

  // A worker's record says that this life should be heard: the wait for it begins now, and without this call it would never end. A higher
  // incarnation than the known one has to be heard anew, unless the node is heard just now. Says nothing new otherwise.
  void expect(model::NodeLife life, Monotonic now);
  // Expects the life as well. Connections of an earlier session have to be told to this one again.
  void connected(NodeId node, std::uint64_t incarnation, Monotonic now);
  // Whether it counts as heard. A beat of an earlier incarnation, or of a node that is not connected, does not.
  bool on_beat(NodeId node, std::uint64_t incarnation, Monotonic now, Monotonic echoed_stamp);
  void left(NodeId node);  // the connection ended
  void forget(NodeId node);  // the node was removed from the cluster
  // With the stamp of its next beat each node is told this pace.
  void set_interval(Duration interval) { interval_ = interval; }
  // Each control tick, before anything else is asked. True: it came too late, and every node that was ever heard counts as heard now.
  bool on_tick(Monotonic now);

  Hearing hearing(NodeId node, Monotonic now) const;
  // The same of one life: Unknown where this master knows an earlier one only.
  Hearing hearing(model::NodeLife life, Monotonic now) const;
  // Of one life: its hearing, and whether its next beat is later than a pause explains, though it is not surely lost yet.
  struct Sight {
    Hearing hearing = Hearing::Unknown;
    Monotonic waiting_since{};  // of one that is Unknown
    bool is_overdue = false;
  };
  Sight look(model::NodeLife life, Monotonic now) const;
  bool counts_as_witness(Monotonic now) const { return now >= muted_until_; }

  // The nodes whose hearing is another than at the last call; ascending.
  std::vector<NodeId> take_changed(Monotonic now);
  // When a hearing changes if nothing arrives: take_changed() has an answer then.
  Monotonic wake_at() const { return by_time_.empty() ? kNever : by_time_.begin()->first; }
  Duration interval() const { return interval_; }

 private:
  struct Entry {
    PhiDetector detector;
    std::uint64_t incarnation = 0;
    Monotonic waiting_since{};
    Monotonic changes_at = kNever;  // its place in by_time_; kNever: in none
    std::optional<Monotonic> connected_at{};
    Hearing state = Hearing::Unknown;
    Hearing told = Hearing::Unknown;
    bool is_first_of_connection = false;
    bool was_heard = false;
  };
  using Entries = std::map<NodeId, Entry>;

  void enter(Entries::value_type& node, Hearing state);
  void wait_for(Entries::value_type& node, Monotonic now);
  void lose_silent(Monotonic now);
  void reset(Monotonic now);

  Duration interval_;
  Monotonic last_tick_;
  Monotonic muted_until_ = Monotonic::min();
  std::array<std::optional<Monotonic>, kResetsToMute> resets_;  // the last ones; oldest first
  Entries nodes_;
  std::set<std::pair<Monotonic, NodeId>> by_time_;  // those that get lost by silence
  std::set<NodeId> changed_;
};

}  // namespace davit::cluster
