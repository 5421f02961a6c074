// The trace of a scenario: what a reader wants to know of a run, one line for each, without ids. What runs where and what the store says
// are facts; of what masters say only orders, refusals and their notes are told.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "sim/cluster/cluster.hpp"
#include "sim/rules/journal_rule.hpp"
#include "sim/scenario/container_watch.hpp"

namespace davit::sim {

class Story final : public Observer {
 public:
  Story(VirtualLoop const& loop, JournalRule const& journals) : loop_(loop), journals_(journals) {}

  void begin();  // time is counted, and lines are written, from here on
  void on_command(std::string const& text);
  void on_run(ContainerRun const& run, model::ContainerDetail const* ended);
  void on_session_ended(std::string const& master);
  void on_answer(std::string const& request, Result<model::Applied> const& outcome);
  void on_failed(std::string const& text);
  void look();  // tells what was gathered since the last
  std::string text() const;

  // ---- Observer
  void on_committed(ports::Commit const& commit, ports::Committed const& committed) override;
  void on_sent_to_agent(NodeId master, NodeId agent, model::ToAgent const& message) override;
  void on_sent_to_peer(NodeId master, NodeId peer, model::PeerMessage const& message) override;
  void on_sent_by_agent(NodeId agent, NodeId master, model::ToMaster const& message) override;
  void on_noted(NodeId process, std::string const& text) override;

 private:
  void on(model::NodeRecord const& record);
  void on(model::ShardRecord const& record);
  void on(model::CoordinatorRecord const& record);
  void on(model::SuspectsRecord const& record);
  void on(model::EventRecord const& record);
  void on(model::GoneRecord const& record);
  void on(model::SlotRecord const& record);
  template <class Other>
  void on(Other const&) {}

  // Adjacent lines of one moment and one head are one line.
  void add(std::string const& head, std::string const& tail);
  std::string slot_of(InstanceId instance) const;

  struct Line {
    std::int64_t tenths = 0;  // of a second
    std::string head;
    std::set<std::string> tails;  // in an order that does not hang on milliseconds
  };

  VirtualLoop const& loop_;
  JournalRule const& journals_;
  bool is_begun_ = false;
  Monotonic begin_{};
  std::vector<Line> lines_;
  std::map<InstanceId, std::string> names_;  // of all that was ever offered, or given a slot
  std::set<InstanceId> offered_;
  std::set<std::pair<InstanceId, std::uint64_t>> ordered_;
  std::map<NodeId, model::NodeRecord> nodes_;
  std::map<std::string, std::size_t> granted_;  // since the last look, by master
  std::map<std::string, std::vector<std::uint16_t>> taken_;  // since the last look
  std::string hold_;
};

}  // namespace davit::sim
