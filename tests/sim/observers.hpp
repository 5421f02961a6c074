// Several observers as one.
#pragma once

#include <vector>

#include "sim/observer.hpp"

namespace davit::sim {

class Observers final : public Observer {
 public:
  void add(Observer& observer) { all_.push_back(&observer); }

  void on_committed(ports::Commit const& commit, ports::Committed const& committed) override {
    for (auto* each : all_) each->on_committed(commit, committed);
  }
  void on_sent_to_agent(NodeId master, NodeId agent, model::ToAgent const& message) override {
    for (auto* each : all_) each->on_sent_to_agent(master, agent, message);
  }
  void on_sent_to_peer(NodeId master, NodeId peer, model::PeerMessage const& message) override {
    for (auto* each : all_) each->on_sent_to_peer(master, peer, message);
  }
  void on_received_by_agent(NodeId agent, model::ToAgent const& message) override {
    for (auto* each : all_) each->on_received_by_agent(agent, message);
  }
  void on_sent_by_agent(NodeId agent, NodeId master, model::ToMaster const& message) override {
    for (auto* each : all_) each->on_sent_by_agent(agent, master, message);
  }
  void on_engine_called(NodeId agent, model::EngineCall const& call) override {
    for (auto* each : all_) each->on_engine_called(agent, call);
  }
  void on_container_changed(NodeId agent, model::ContainerDetail const& container) override {
    for (auto* each : all_) each->on_container_changed(agent, container);
  }
  void on_agent_started(NodeId agent) override {
    for (auto* each : all_) each->on_agent_started(agent);
  }
  void on_disk_lost(NodeId agent) override {
    for (auto* each : all_) each->on_disk_lost(agent);
  }
  void on_transition(NodeId master, master::Transition const& change) override {
    for (auto* each : all_) each->on_transition(master, change);
  }
  void on_noted(NodeId process, std::string const& text) override {
    for (auto* each : all_) each->on_noted(process, text);
  }
  void on_asked(std::string const& request, std::string const& service) override {
    for (auto* each : all_) each->on_asked(request, service);
  }
  void on_acknowledged(std::string const& request, Result<model::Applied> const& outcome) override {
    for (auto* each : all_) each->on_acknowledged(request, outcome);
  }
  void on_fault(std::string const& text) override {
    for (auto* each : all_) each->on_fault(text);
  }

 private:
  std::vector<Observer*> all_;
};

}  // namespace davit::sim
