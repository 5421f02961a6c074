// What may be seen of a simulated cluster from above, as it happens: the rules judge it, the trace records it. Nothing that an observer
// does may change what happens. Control thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "core/master/state.hpp"
#include "model/engine.hpp"
#include "model/link.hpp"
#include "model/peer.hpp"
#include "ports/store.hpp"

namespace davit::sim {

class Observer {
 public:
  virtual ~Observer() = default;

  // Only of those that succeed.
  virtual void on_committed(ports::Commit const&, ports::Committed const&) {}

  virtual void on_sent_to_agent(NodeId /*master*/, NodeId /*agent*/, model::ToAgent const&) {}
  virtual void on_sent_to_peer(NodeId /*master*/, NodeId /*peer*/, model::PeerMessage const&) {}
  virtual void on_received_by_agent(NodeId /*agent*/, model::ToAgent const&) {}
  virtual void on_sent_by_agent(NodeId /*agent*/, NodeId /*master*/, model::ToMaster const&) {}

  virtual void on_engine_called(NodeId /*agent*/, model::EngineCall const&) {}
  virtual void on_container_changed(NodeId /*agent*/, model::ContainerDetail const&) {}
  virtual void on_agent_started(NodeId /*agent*/) {}
  virtual void on_disk_lost(NodeId /*agent*/) {}

  virtual void on_transition(NodeId /*master*/, master::Transition const&) {}
  virtual void on_noted(NodeId /*process*/, std::string const&) {}
  virtual void on_fault(std::string const& /*text*/) {}
  virtual void on_asked(std::string const& /*request*/, std::string const& /*service*/) {}
  virtual void on_acknowledged(std::string const& /*request*/, Result<model::Applied> const&) {}
};

}  // namespace davit::sim
