// Several masters over one store: their hearing, their answers and the coordinator's judgement together, in virtual time.
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/cluster/downing.hpp"
#include "core/cluster/liveness.hpp"
#include "core/cluster/tick.hpp"
#include "core/cluster/witness.hpp"

namespace davit::cluster {
namespace {

using model::NodeLife;
using model::NodeStatus;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Monotonic kStart{1000s};

struct Store {
  std::map<NodeId, model::NodeRecord> nodes;
  std::map<NodeId, LiveMaster> masters;  // whose lease lives
  model::SuspectsRecord suspects;
  std::map<NodeId, model::SeenRecord> seen;
};

// One process: pausing stops its ticks and ears, and its lease ends 3 s later; so does crashing.
class Master {
 public:
  Master(NodeId id, Store& store, Monotonic now) : id_(id), store_(store) { begin_session(now); }

  void tick(Monotonic now, std::set<NodeId> const& audible) {
    if (!store_.masters.contains(id_)) begin_session(now);
    renewed_ = now;
    liveness_->on_tick(now);
    for (auto const& [id, node] : store_.nodes) {
      if (node.status != NodeStatus::Down) liveness_->expect({id, node.incarnation}, now);
      listen(node, audible.contains(id), now);
    }
    answer(now);
  }
  void judge(Monotonic now) {
    if (!downing_) downing_.emplace(now);
    std::vector<Worker> workers;
    for (auto const& [id, node] : store_.nodes) {
      if (node.status == NodeStatus::Down) downed_at_.try_emplace(id, now);
      auto const downed = downed_at_.find(id);
      workers.push_back(worker_of(node, downed == downed_at_.end() ? std::nullopt : std::optional(downed->second), *liveness_, now));
    }
    std::vector<LiveMaster> masters;
    for (auto const& [id, master] : store_.masters) masters.push_back(master);
    std::vector<model::SeenRecord> seen;
    for (auto const& [id, record] : store_.seen) seen.push_back(record);
    verdict_ = downing_->judge({now, id_, {}, 1s, workers, masters, store_.suspects, seen});
    if (verdict_.suspects) store_.suspects = *verdict_.suspects;
    for (auto const& mark : verdict_.marks) store_.nodes.at(mark.life.node).status = mark.to;
  }
  void expire(Monotonic now) {
    if (now - renewed_ < 3s) return;
    store_.masters.erase(id_);
    downing_.reset();
  }
  bool is_running = true;
  std::string const& hold() const { return verdict_.hold; }

 private:
  void begin_session(Monotonic now) {
    session_ = to_string(id_) + '.' + std::to_string(++sessions_);
    store_.masters[id_] = {id_, session_};
    liveness_.emplace(now);
    connected_.clear();
    stamps_.clear();
    renewed_ = now;
  }
  void listen(model::NodeRecord const& node, bool is_audible, Monotonic now) {
    if (!is_audible) {
      if (connected_.erase(node.id) > 0) liveness_->left(node.id);
      return;
    }
    if (connected_.insert(node.id).second) {
      liveness_->connected(node.id, node.incarnation, now);
      stamps_.erase(node.id);
      next_beat_[node.id] = now;
    }
    if (now < next_beat_[node.id]) return;
    liveness_->on_beat(node.id, node.incarnation, now, stamps_[node.id]);
    bool const is_first = stamps_[node.id] == Monotonic{};
    stamps_[node.id] = now;
    next_beat_[node.id] = is_first ? now : now + 1s;  // the first stamp is echoed at once
  }
  void answer(Monotonic now) {
    auto const written = store_.seen.find(id_);
    auto const due = answer_due(written == store_.seen.end() ? nullptr : &written->second, store_.suspects, *liveness_, id_, session_, now);
    if (due) store_.seen[id_] = *due;
  }

  NodeId id_;
  Store& store_;
  std::string session_;
  int sessions_ = 0;
  Monotonic renewed_{};
  std::optional<Liveness> liveness_;
  std::optional<Downing> downing_;
  Verdict verdict_;
  std::set<NodeId> connected_;
  std::map<NodeId, Monotonic> stamps_;
  std::map<NodeId, Monotonic> next_beat_;
  std::map<NodeId, Monotonic> downed_at_;
};

class DowningScenario : public testing::Test {
 protected:
  Store store;
  std::vector<std::unique_ptr<Master>> masters;
  std::set<std::uint64_t> dead;
  std::set<std::pair<std::size_t, std::uint64_t>> cut;  // master and node
  Monotonic now = kStart;

  void begin(std::uint64_t workers, std::size_t master_count) {
    for (std::uint64_t i = 1; i <= workers; ++i) store.nodes[NodeId{i}] = {.id = NodeId{i}, .roles = {model::Role::Worker}};
    for (std::size_t i = 0; i < master_count; ++i) masters.push_back(std::make_unique<Master>(NodeId{101 + i}, store, now));
    run(10200ms);  // all have just beaten: lost 3.1 s later, down 1.1 s after that
    EXPECT_THAT(with(NodeStatus::Up), testing::SizeIs(workers));
  }
  void run(Duration time) {
    for (auto const until = now + time; now < until;) {
      now += kControlTick;
      for (std::size_t m = 0; m < masters.size(); ++m) {
        if (masters[m]->is_running) masters[m]->tick(now, audible(m));
        else masters[m]->expire(now);
      }
      judge();
    }
  }
  std::vector<std::uint64_t> with(NodeStatus status) const {
    std::vector<std::uint64_t> numbers;
    for (auto const& [id, node] : store.nodes) {
      if (node.status == status) numbers.push_back(id.value);
    }
    return numbers;
  }
  Master& coordinator() { return *masters.at(coordinator_); }

 private:
  std::set<NodeId> audible(std::size_t master) const {
    std::set<NodeId> nodes;
    for (auto const& [id, node] : store.nodes) {
      if (!dead.contains(id.value) && !cut.contains({master, id.value})) nodes.insert(id);
    }
    return nodes;
  }
  // The coordinator stays it until its lease ends; then the first live master follows.
  void judge() {
    auto const is_live = [&](std::size_t m) { return store.masters.contains(NodeId{101 + m}); };
    for (std::size_t m = 0; !is_live(coordinator_) && m < masters.size(); ++m) {
      if (is_live(m) && masters[m]->is_running) coordinator_ = m;
    }
    if (coordinator().is_running) coordinator().judge(now);
  }
  std::size_t coordinator_ = 0;
};

TEST_F(DowningScenario, a_dead_node_is_down_within_five_seconds_and_no_other) {
  begin(4, 3);
  dead = {2};
  run(3500ms);
  EXPECT_THAT(with(NodeStatus::Unreachable), ElementsAre(2));
  run(1500ms);
  EXPECT_THAT(with(NodeStatus::Down), ElementsAre(2));
  EXPECT_THAT(with(NodeStatus::Up), ElementsAre(1, 3, 4));
  EXPECT_THAT(store.suspects.nodes, IsEmpty());
}

TEST_F(DowningScenario, one_of_two_workers_that_dies_is_downed) {
  begin(2, 1);
  dead = {1};
  run(6s);
  EXPECT_THAT(with(NodeStatus::Down), ElementsAre(1));
}

TEST_F(DowningScenario, a_node_that_one_master_hears_is_not_downed) {
  begin(4, 3);
  cut = {{0, 1}, {1, 1}};
  run(120s);
  EXPECT_THAT(with(NodeStatus::Up), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(store.suspects.nodes, ElementsAre(NodeLife{NodeId{1}, 1}));
  cut.insert({2, 1});
  run(6s);
  EXPECT_THAT(with(NodeStatus::Down), ElementsAre(1));
}

TEST_F(DowningScenario, a_coordinator_cut_from_every_worker_downs_none) {
  begin(4, 2);
  cut = {{0, 1}, {0, 2}, {0, 3}, {0, 4}};
  run(60s);
  EXPECT_THAT(with(NodeStatus::Up), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(coordinator().hold(), IsEmpty());
}

TEST_F(DowningScenario, the_only_master_that_wakes_from_a_pause_downs_nobody) {
  begin(4, 1);
  for (auto pause : {1s, 60s}) {  // with its lease, and without
    masters[0]->is_running = false;
    run(pause);
    masters[0]->is_running = true;
    run(20s);
    EXPECT_THAT(with(NodeStatus::Up), ElementsAre(1, 2, 3, 4));
  }
}

TEST_F(DowningScenario, a_paused_master_that_wakes_in_the_middle_of_a_round_vouches_for_nobody_longer_than_it_must) {
  begin(4, 2);
  dead = {2};
  run(2900ms);
  masters[1]->is_running = false;
  run(1s);
  EXPECT_THAT(with(NodeStatus::Unreachable), IsEmpty());  // its lease lives and it does not answer
  masters[1]->is_running = true;
  run(2s);
  EXPECT_THAT(with(NodeStatus::Down), IsEmpty());
  run(4s);
  EXPECT_THAT(with(NodeStatus::Down), ElementsAre(2));
}

TEST_F(DowningScenario, a_master_that_dies_in_the_middle_of_a_round_is_waited_for_until_its_lease_ends) {
  begin(4, 3);
  dead = {2};
  run(2500ms);
  masters[1]->is_running = false;
  run(2500ms);
  EXPECT_THAT(with(NodeStatus::Down), IsEmpty());
  run(3s);
  EXPECT_THAT(with(NodeStatus::Down), ElementsAre(2));
}

TEST_F(DowningScenario, the_next_coordinator_finishes_what_a_dead_one_began) {
  begin(4, 3);
  dead = {2};
  run(3500ms);
  EXPECT_THAT(store.suspects.nodes, ElementsAre(NodeLife{NodeId{2}, 1}));
  masters[0]->is_running = false;
  run(5s);
  EXPECT_THAT(with(NodeStatus::Down), ElementsAre(2));
}

TEST_F(DowningScenario, a_master_that_restarts_while_a_node_dies_delays_its_end_by_seconds_only) {
  begin(4, 2);
  masters[1]->is_running = false;
  run(4s);
  dead = {2};
  masters[1]->is_running = true;  // a new session that never hears the node
  run(4s);
  EXPECT_THAT(with(NodeStatus::Down), IsEmpty());
  run(3s);
  EXPECT_THAT(with(NodeStatus::Down), ElementsAre(2));
}

TEST_F(DowningScenario, all_masters_restart_while_a_node_is_dead_and_wait_thirty_seconds_for_it) {
  begin(4, 2);
  for (auto& master : masters) master->is_running = false;
  run(4s);
  dead = {2};
  for (auto& master : masters) master->is_running = true;
  run(29s);
  EXPECT_THAT(with(NodeStatus::Unreachable), ElementsAre(2));
  run(3s);
  EXPECT_THAT(with(NodeStatus::Down), ElementsAre(2));
}

TEST_F(DowningScenario, a_hold_ends_when_nodes_come_back_and_then_only_the_dead_one_is_downed) {
  begin(4, 2);
  dead = {1, 2, 3};
  run(30s);
  EXPECT_THAT(with(NodeStatus::Unreachable), ElementsAre(1, 2, 3));
  EXPECT_THAT(coordinator().hold(), HasSubstr("3 of 4"));
  dead = {2, 3};
  run(500ms);
  EXPECT_THAT(coordinator().hold(), IsEmpty());
  run(1s);
  dead = {3};
  run(6s);
  EXPECT_THAT(with(NodeStatus::Up), ElementsAre(1, 2, 4));
  EXPECT_THAT(with(NodeStatus::Down), ElementsAre(3));
}

TEST_F(DowningScenario, nodes_that_fall_one_by_one_end_in_a_hold) {
  begin(6, 3);
  for (std::uint64_t next = 1; next <= 5; ++next) {
    dead.insert(next);
    run(7s);
  }
  EXPECT_THAT(with(NodeStatus::Down), ElementsAre(1, 2, 3));
  EXPECT_THAT(with(NodeStatus::Unreachable), ElementsAre(4, 5));
  EXPECT_THAT(coordinator().hold(), HasSubstr("5 of 6"));
}

TEST_F(DowningScenario, a_short_cut_leaves_no_trace) {
  begin(4, 2);
  dead = {1, 2, 3};
  run(3400ms);
  dead.clear();
  run(1s);
  EXPECT_THAT(with(NodeStatus::Up), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(store.suspects.nodes, IsEmpty());
}

}  // namespace
}  // namespace davit::cluster
