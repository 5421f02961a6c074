// The trace of one run: a hash over all that was seen, in order and with its time, and the same in words where somebody reads it. Two runs
// of one seed have the same hash, or something in them does not follow from the seed.
#pragma once

#include <cstdint>
#include <string>

#include "sim/observer.hpp"
#include "sim/virtual_loop.hpp"

namespace davit::sim {

class Trace final : public Observer {
 public:
  Trace(VirtualLoop const& loop, bool is_printed) : loop_(loop), is_printed_(is_printed) {}

  std::uint64_t hash() const { return hash_; }

  void on_committed(ports::Commit const& commit, ports::Committed const& committed) override;
  void on_sent_to_agent(NodeId master, NodeId agent, model::ToAgent const& message) override;
  void on_sent_to_peer(NodeId master, NodeId peer, model::PeerMessage const& message) override;
  void on_received_by_agent(NodeId agent, model::ToAgent const& message) override;
  void on_sent_by_agent(NodeId agent, NodeId master, model::ToMaster const& message) override;
  void on_engine_called(NodeId agent, model::EngineCall const& call) override;
  void on_container_changed(NodeId agent, model::ContainerDetail const& container) override;
  void on_agent_started(NodeId agent) override;
  void on_disk_lost(NodeId agent) override;
  void on_transition(NodeId master, master::Transition const& change) override;
  void on_noted(NodeId process, std::string const& text) override;
  void on_fault(std::string const& text) override;
  void on_acknowledged(std::string const& request, Result<model::Applied> const& outcome) override;

 private:
  // What happened, as numbers; `words` makes the line, and is asked only where it is read.
  template <class Words>
  void add(std::uint64_t kind, std::uint64_t a, std::uint64_t b, Words const& words);

  VirtualLoop const& loop_;
  bool is_printed_;
  std::uint64_t hash_ = 0xcbf29ce484222325;
};

}  // namespace davit::sim
