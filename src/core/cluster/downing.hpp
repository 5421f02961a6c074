// The coordinator's judgement of the workers (protocol.md §6): whom to suspect, whom to call unreachable, whom to declare down. Made when a
// master becomes coordinator; control thread. It remembers only since when things are as they are, so a new coordinator errs towards
// waiting.
//
//   suspect      this coordinator lost it, or has waited in vain for it for 2 s + interval: every live master answers the round
//   unreachable  a suspect that no live master hears whose answer counts
//   down         an unreachable one, when every live master has answered the round, the suspects have not grown for 1 s and no other node
//                is in doubt (3 s after the oldest at most), the policy allows it, and no master whose answer counts may be about to
//                hear it: one that has waited for the node only since its own start
//   in doubt     heard, but overdue; or a suspect of the last 3 s that some master hears yet
//
// Call judge() when anything of the situation changed and at wake_at, but not while a write of it is under way; the hearing must be of now
// (Liveness::on_tick before). What it returns is one transaction: it compares `compares` and the coordinator's key with the situation.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "core/cluster/liveness.hpp"
#include "core/cluster/policy.hpp"
#include "model/records.hpp"

namespace davit::cluster {

inline constexpr Duration kSettleAfterGrowth = 1s;
inline constexpr Duration kSettleAtMost = 3s;
inline constexpr Duration kDoubtLook = 200ms;  // how often it is looked whether a node in doubt was heard or lost
inline constexpr Duration kDownedMemory = 60s;  // those downed in it count as unreachable for the policy
inline constexpr Duration kUnknownButLost = 5s;  // waits for a node that another master heard and lost
inline constexpr Duration kAnswerWithin = 1s;  // a round that is not answered by then may be replaced by one of other suspects
inline constexpr std::size_t kMarksPerWrite = 64;  // protocol.md §2

struct Worker {
  model::NodeLife life;
  model::NodeStatus status = model::NodeStatus::Up;
  std::optional<Monotonic> downed_at;  // when this master saw that it is down, at the latest when it began; empty: it is not
  Hearing hearing = Hearing::Unknown;  // this master's own
  Monotonic waiting_since{};  // of an Unknown one
  bool is_overdue = false;  // of one that is still heard: it may be the next to fall
};
Worker worker_of(model::NodeRecord const& record, std::optional<Monotonic> downed_at, Liveness const& liveness, Monotonic now);

struct LiveMaster {
  NodeId id;
  std::string session;
};

struct Situation {
  Monotonic now;
  NodeId self;
  DowningPolicy policy;
  Duration interval = 1s;  // of beats
  std::span<Worker const> workers;  // the electorate: every node with the role worker that is not removed; ascending
  std::span<LiveMaster const> masters;  // whose keys stand; this one is among them
  model::SuspectsRecord const& suspects;
  std::span<model::SeenRecord const> seen;  // may hold answers of dead masters and of earlier rounds
};

struct Mark {
  model::NodeLife life;
  model::NodeStatus to = model::NodeStatus::Up;
  friend bool operator==(Mark const&, Mark const&) = default;
};

struct Verdict {
  std::optional<model::SuspectsRecord> suspects;
  std::vector<Mark> marks;
  std::vector<std::string> compares;  // keys that must stand in the store as they do in the situation, or not at all
  std::string hold;  // why the policy forbids to declare the unreachable ones down; empty: it does not
  std::string waiting;  // what else keeps them from being down
  Monotonic wake_at = kNever;

  bool has_writes() const { return suspects.has_value() || !marks.empty(); }
};

class Downing {
 public:
  explicit Downing(Monotonic elected) : last_growth_(elected) {}

  Verdict judge(Situation const& situation);

 private:
  struct Finding {
    Worker const* worker = nullptr;
    bool is_heard = false;
    Monotonic blocked_until = Monotonic::min();
  };
  // What the live masters say of the suspects. It can be judged when all of them have answered and at least one counts.
  struct Round {
    bool can_be_judged = false;
    std::vector<model::SeenRecord const*> witnesses;  // the answers that count
    std::optional<NodeId> missing;  // a live master that has not answered
    std::vector<Finding> findings;  // of the suspects, once all have answered
  };

  void remember(Situation const& s);
  Round hear_round(Situation const& s) const;
  Finding find(Situation const& s, Round const& round, Worker const& worker) const;
  void remember_unreachable(Situation const& s, Round const& round);
  bool is_one_in_doubt(Situation const& s, Round const& round) const;
  void weigh(Situation const& s, Round const& round, Verdict& verdict);
  std::vector<model::NodeLife> wanted_suspects(Situation const& s, Verdict& verdict) const;
  void suspect(Situation const& s, Round const& round, Verdict& verdict);
  void mark(Situation const& s, Round const& round, Verdict& verdict) const;
  std::vector<Mark> due(Situation const& s, Round const& round, Verdict& verdict) const;

  std::map<std::string, Monotonic> sessions_;  // live ones, since when
  std::map<model::NodeLife, Monotonic> suspected_since_;
  std::map<model::NodeLife, Monotonic> unreachable_since_;
  std::uint64_t round_ = 0;
  Monotonic round_since_ = Monotonic::min();
  Monotonic last_growth_;
  Monotonic hold_ended_ = Monotonic::min();
  std::string hold_;
};

}  // namespace davit::cluster
