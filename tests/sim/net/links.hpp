// The links of ports/link.hpp and ports/peer.hpp over simulated connections. Each tells the observer what is said, by whom and to whom.
// Owned by the process that they belong to.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ports/link.hpp"
#include "ports/peer.hpp"
#include "sim/net/acceptor.hpp"
#include "sim/net/dialler.hpp"
#include "sim/observer.hpp"

namespace davit::sim {

// A master's end towards its agents.
class AgentLink final : public ports::AgentLink {
 public:
  AgentLink(Place place, std::string address, Observer& observer);
  void receive(Handlers handlers) override { handlers_ = std::move(handlers); }
  void send(NodeId node, model::ToAgent message, Monotonic valid_until) override;

 private:
  Place place_;
  Observer& observer_;
  Handlers handlers_;
  Acceptor acceptor_;
};

// An agent's end towards its masters. `first` are those that it was started with.
class MasterLink final : public ports::MasterLink {
 public:
  MasterLink(Place place, std::vector<model::MasterAddress> first, Observer& observer);
  void start() { keep_connected({}); }
  void receive(Handlers handlers) override { handlers_ = std::move(handlers); }
  void send(NodeId master, model::ToMaster message) override;
  void keep_connected(std::vector<model::MasterAddress> masters) override;

 private:
  Place place_;
  Observer& observer_;
  std::vector<model::MasterAddress> first_;
  Handlers handlers_;
  Dialler dialler_;
};

// Between masters: of each pair the one with the smaller id dials.
class PeerLink final : public ports::PeerLink {
 public:
  PeerLink(Place place, std::string address, Observer& observer);
  void receive(Handlers handlers) override { handlers_ = std::move(handlers); }
  void send(NodeId master, model::PeerMessage message, Monotonic valid_until) override;
  void keep_connected(std::vector<model::MasterAddress> masters) override;

 private:
  Dialler::Handlers to_handlers();

  Place place_;
  Observer& observer_;
  Handlers handlers_;
  Acceptor acceptor_;
  Dialler dialler_;
};

}  // namespace davit::sim
