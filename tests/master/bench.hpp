// Masters and nodes of a test, on a clock that the test moves. The masters are the production machine; around them is only what
// answers at once: a store of one map, and nodes that beat, answer fences with what the test says they have, and keep what they are
// told. A test can hold back a master's writes and its watch, and silence a node.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/master/master.hpp"

namespace davit::master {

class StoreOfMap {
 public:
  struct Item {
    model::Record record;
    std::int64_t create_revision = 0;
    std::int64_t mod_revision = 0;
    std::int64_t version = 0;
    std::int64_t lease = 0;
  };

  Written commit(Write const& write);
  void end_lease(std::int64_t lease);
  std::map<std::string, Item> const& items() const { return items_; }
  std::vector<StoreBatch> const& history() const { return history_; }
  std::int64_t revision() const { return static_cast<std::int64_t>(history_.size()); }

 private:
  bool holds(Compare const& compare) const;
  std::map<std::string, Item> items_;
  std::vector<StoreBatch> history_;  // by revision, from 1 on
};

class Bench {
 public:
  struct TestNode {
    bool is_silent = false;          // cut off from everybody
    bool answers_fences = true;
    std::uint64_t incarnation = 0;   // as its masters have told
    std::vector<model::InstanceReport> has;
    std::vector<model::RunInstance> offers;  // and confirmations
    std::vector<model::StopInstance> stops;
    std::optional<model::Grant> grant;       // of the last answer to a beat
    std::map<NodeId, Monotonic> echoes;      // by master
    std::vector<model::DirectoryChanged> told;
  };

  void start_master(NodeId id);
  void kill_master(NodeId id);  // its lease ends three seconds later
  void add_node(NodeId id);
  void cut(NodeId node);
  void heal(NodeId node);
  TestNode& node(NodeId id) { return nodes_.at(id); }
  void say(NodeId node, model::ToMaster message);  // to all masters

  Master const& master(NodeId id) const { return masters_.at(id).machine; }
  std::optional<Result<Applied>> command(NodeId master, model::Command command);
  void pass(Duration time);
  bool until(std::function<bool()> const& condition, Duration limit = std::chrono::seconds(60));
  Monotonic now() const { return now_.monotonic; }
  StoreOfMap& store() { return store_; }

  std::function<bool(Write const&)> holds_back = [](Write const&) { return false; };  // these wait for release()
  void release();
  void end_watch(NodeId master);  // it reads everything again
  std::size_t held_back() const { return held_.size(); }
  std::optional<NodeId> blind;  // this master's watch shows nothing new

 private:
  struct TestMaster {
    explicit TestMaster(Options options) : machine(std::move(options)) {}
    Master machine;
    std::deque<Event> inbox;
    std::int64_t watched = 0;
    bool follows = false;
    std::int64_t lease = 0;
    bool is_alive = true;
    std::optional<Result<Applied>> reply;
  };

  static model::NodeFacts facts_of(NodeId id);
  void run();
  void step(NodeId id, TestMaster& master, Event const& event);
  void perform(NodeId id, TestMaster& master, Action const& action);
  void receive(NodeId master, NodeId node, model::ToAgent const& message);
  void show_changes(TestMaster& master);

  Now now_{.monotonic = Monotonic{} + std::chrono::seconds(100), .wall = {}};
  StoreOfMap store_;
  std::map<NodeId, TestMaster> masters_;
  std::map<NodeId, TestNode> nodes_;
  std::vector<std::pair<NodeId, Write>> held_;
  std::vector<std::pair<Monotonic, std::int64_t>> ending_leases_;
  Monotonic next_beat_{};
  std::int64_t next_lease_ = 1;
};

}  // namespace davit::master
