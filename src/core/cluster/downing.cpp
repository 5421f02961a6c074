#include "core/cluster/downing.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/core.h>

#include "base/planted.hpp"

namespace davit::cluster {
namespace {

using model::NodeLife;
using model::NodeStatus;

bool contains(std::vector<NodeLife> const& ascending, NodeLife life) { return std::ranges::binary_search(ascending, life); }

void wake(Verdict& verdict, Monotonic at) { verdict.wake_at = std::min(verdict.wake_at, at); }

model::SeenRecord const* answer_of(Situation const& s, LiveMaster const& master) {
  for (auto const& seen : s.seen) {
    if (seen.master == master.id && seen.session == master.session && seen.round == s.suspects.round) return &seen;
  }
  return nullptr;
}

bool is_lately_down(Situation const& s, Worker const& worker) {
  return worker.status == NodeStatus::Down && worker.downed_at && s.now < *worker.downed_at + kDownedMemory;
}

}  // namespace

Worker worker_of(model::NodeRecord const& record, std::optional<Monotonic> downed_at, Liveness const& liveness, Monotonic now) {
  NodeLife const life{record.id, record.incarnation};
  auto const sight = liveness.look(life, now);
  return {life, record.status, downed_at, sight.hearing, sight.waiting_since, sight.is_overdue};
}

Verdict Downing::judge(Situation const& s) {
  Verdict verdict;
  remember(s);
  auto const round = hear_round(s);
  suspect(s, round, verdict);
  if (round.can_be_judged) {
    remember_unreachable(s, round);
    weigh(s, round, verdict);
  } else {
    verdict.waiting = round.missing ? fmt::format("master {} has not answered yet", to_string(*round.missing))
                                    : "no live master counts as a witness: each was paused or overloaded three times within 30 s";
  }
  verdict.hold = hold_;
  if (verdict.suspects) verdict.suspects->hold = hold_;
  else if (s.suspects.hold != hold_) verdict.suspects = {s.suspects.round, s.suspects.nodes, hold_};  // for all to see
  mark(s, round, verdict);
  if (verdict.has_writes()) verdict.compares.push_back(model::suspects_key());
  if (!verdict.marks.empty()) {
    for (auto const& master : s.masters) verdict.compares.push_back(model::seen_key(master.id));
  }
  return verdict;
}

void Downing::remember(Situation const& s) {
  std::map<std::string, Monotonic> live;
  for (auto const& master : s.masters) {
    auto const known = sessions_.find(master.session);
    live.emplace(master.session, known == sessions_.end() ? s.now : known->second);
  }
  sessions_ = std::move(live);
  std::map<NodeLife, Monotonic> since;
  for (auto const& life : s.suspects.nodes) {
    auto const known = suspected_since_.find(life);
    since.emplace(life, known == suspected_since_.end() ? s.now : known->second);
  }
  suspected_since_ = std::move(since);
  if (round_since_ == Monotonic::min() || round_ != s.suspects.round) round_since_ = s.now;
  round_ = s.suspects.round;
}

// Without suspects there is nothing to answer, and nothing to be found.
Downing::Round Downing::hear_round(Situation const& s) const {
  Round round;
  round.can_be_judged = s.suspects.nodes.empty();
  if (round.can_be_judged) return round;
  for (auto const& master : s.masters) {
    auto const* answer = answer_of(s, master);
    if (answer == nullptr) {
      round.missing = master.id;
      return round;
    }
    if (answer->counts) round.witnesses.push_back(answer);
  }
  round.can_be_judged = !round.witnesses.empty();
  if (!round.can_be_judged) return round;
  for (auto const& worker : s.workers) {
    if (worker.status != NodeStatus::Down && contains(s.suspects.nodes, worker.life)) round.findings.push_back(find(s, round, worker));
  }
  return round;
}

// A master that has just begun may hear the node yet: it is waited for, shortly if another one has heard it and lost it, else until that
// master itself gives up (Liveness turns Unknown into Lost after 30 s, and the answer changes).
Downing::Finding Downing::find(Situation const& s, Round const& round, Worker const& worker) const {
  Finding finding{&worker, worker.hearing == Hearing::Heard};
  bool is_lost_by_one = false;
  for (auto const* witness : round.witnesses) {
    if (contains(witness->heard, worker.life) && !planted(Bug::DownByOneHearing)) {
      finding.is_heard = true;
    } else if (contains(witness->unknown, worker.life)) {
      bool const is_own = witness->master == s.self && worker.hearing == Hearing::Unknown;
      auto const since = is_own ? worker.waiting_since : sessions_.at(witness->session);
      finding.blocked_until = std::max(finding.blocked_until, since + kUnknownButLost);
    } else {
      is_lost_by_one = true;
    }
  }
  if (!is_lost_by_one && finding.blocked_until != Monotonic::min()) finding.blocked_until = kNever;
  return finding;
}

void Downing::remember_unreachable(Situation const& s, Round const& round) {
  std::map<NodeLife, Monotonic> since;
  for (auto const& finding : round.findings) {
    if (finding.is_heard) continue;
    auto const known = unreachable_since_.find(finding.worker->life);
    bool const is_new = known == unreachable_since_.end();
    if (is_new) last_growth_ = s.now;
    since.emplace(finding.worker->life, is_new ? s.now : known->second);
  }
  unreachable_since_ = std::move(since);
}

// A hold that ends does so because nodes come back, and others may be about to: what is left is given the longest time to settle.
void Downing::weigh(Situation const& s, Round const& round, Verdict& verdict) {
  auto unreachable = static_cast<std::size_t>(std::ranges::count(round.findings, false, &Finding::is_heard));
  bool const is_any_at_stake = unreachable > 0;
  auto const up =
      static_cast<std::size_t>(std::ranges::count_if(s.workers, [](Worker const& worker) { return worker.status != NodeStatus::Down; }));
  auto const reachable = up - std::min(up, unreachable);
  Monotonic memory_ends = kNever;
  for (auto const& worker : s.workers) {
    if (!is_lately_down(s, worker)) continue;
    ++unreachable;
    memory_ends = std::min(memory_ends, *worker.downed_at + kDownedMemory);
  }
  bool const was_holding = !hold_.empty();
  hold_ = is_any_at_stake && !planted(Bug::IgnoresHold) ? hold_reason(s.policy, {unreachable, s.workers.size(), reachable}) : "";
  if (was_holding && hold_.empty()) hold_ended_ = s.now;
  if (!hold_.empty()) wake(verdict, memory_ends);
}

// Ascending. Who is suspected stays so until it is heard here, even if this coordinator never heard it: its predecessor did.
std::vector<NodeLife> Downing::wanted_suspects(Situation const& s, Verdict& verdict) const {
  std::vector<NodeLife> wanted;
  for (auto const& worker : s.workers) {
    if (worker.status == NodeStatus::Down || worker.hearing == Hearing::Heard) continue;
    auto const waits_until = worker.waiting_since + hears_within(s.interval);
    bool const is_awaited = worker.hearing == Hearing::Unknown && s.now < waits_until && !contains(s.suspects.nodes, worker.life);
    if (is_awaited) wake(verdict, waits_until);
    else wanted.push_back(worker.life);
  }
  return wanted;
}

// A round in which everyone is about to answer is not replaced at once, or nodes that fall one after the other would keep any round from
// being answered.
void Downing::suspect(Situation const& s, Round const& round, Verdict& verdict) {
  auto wanted = wanted_suspects(s, verdict);
  if (!std::ranges::includes(s.suspects.nodes, wanted)) last_growth_ = s.now;
  if (wanted == s.suspects.nodes) return;
  auto const replaceable_at = round.missing ? round_since_ + kAnswerWithin : s.now;
  if (s.now < replaceable_at) return wake(verdict, replaceable_at);
  round_ = s.suspects.round + 1;  // if the write fails, remember() sees the old one again
  round_since_ = s.now;
  verdict.suspects = model::SuspectsRecord{round_, std::move(wanted), {}};
}

void Downing::mark(Situation const& s, Round const& round, Verdict& verdict) const {
  auto& marks = verdict.marks;
  std::vector<NodeLife> heard_elsewhere;
  std::vector<Mark> unreachable;
  for (auto const& finding : round.findings) {
    if (finding.is_heard) heard_elsewhere.push_back(finding.worker->life);
    else if (finding.worker->status == NodeStatus::Up) unreachable.push_back({finding.worker->life, NodeStatus::Unreachable});
  }
  for (auto const& worker : s.workers) {
    if (worker.status != NodeStatus::Unreachable) continue;
    if (worker.hearing == Hearing::Heard || contains(heard_elsewhere, worker.life)) marks.push_back({worker.life, NodeStatus::Up});
  }
  marks.insert(marks.end(), unreachable.begin(), unreachable.end());
  if (round.can_be_judged && hold_.empty()) std::ranges::move(due(s, round, verdict), std::back_inserter(marks));
  if (marks.size() > kMarksPerWrite) marks.resize(kMarksPerWrite);
}

// Nodes that fall together are not lost at the same moment, nor by all masters at once; the less regular their beats were, the further
// apart. Who is suspected for longer and yet heard is cut off from some masters only, and does not fall.
bool Downing::is_one_in_doubt(Situation const& s, Round const& round) const {
  if (std::ranges::any_of(s.workers, &Worker::is_overdue)) return true;
  return std::ranges::any_of(round.findings, [&](Finding const& finding) {
    return finding.is_heard && s.now < suspected_since_.at(finding.worker->life) + kSettleAtMost;
  });
}

// Only what the store calls unreachable already: users and owners have seen it coming.
std::vector<Mark> Downing::due(Situation const& s, Round const& round, Verdict& verdict) const {
  std::vector<Mark> marks;
  Monotonic oldest = kNever;
  for (auto const& finding : round.findings) {
    if (finding.is_heard) continue;
    if (s.now < finding.blocked_until) {
      verdict.waiting = fmt::format("a master that began lately has yet to hear node {}", to_string(finding.worker->life.node));
      wake(verdict, finding.blocked_until);
      continue;
    }
    oldest = std::min(oldest, unreachable_since_.at(finding.worker->life));
    if (finding.worker->status == NodeStatus::Unreachable) marks.push_back({finding.worker->life, NodeStatus::Down});
  }
  if (oldest == kNever) return {};
  auto const may_grow_until = is_one_in_doubt(s, round) ? s.now + kDoubtLook : last_growth_ + kSettleAfterGrowth;
  auto settled_at = std::min(may_grow_until, oldest + kSettleAtMost);
  if (hold_ended_ != Monotonic::min()) settled_at = std::max(settled_at, hold_ended_ + kSettleAtMost);
  if (s.now >= settled_at) return marks;
  verdict.waiting = "more nodes may be falling: they are judged together";
  wake(verdict, settled_at);
  return {};
}

}  // namespace davit::cluster
