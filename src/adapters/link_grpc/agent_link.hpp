// A master's end towards its agents: the streams that they have opened, and the logs that it asks them for. Owned by the app,
// fed by the Listener; control thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "adapters/link_grpc/handshake.hpp"
#include "adapters/link_grpc/wire.hpp"
#include "ports/instance_logs.hpp"
#include "ports/link.hpp"
#include "ports/loop.hpp"
#include "rpc/server.hpp"

namespace davit::link_grpc {

class AgentLink final : public ports::AgentLink, public ports::InstanceLogs {
 public:
  AgentLink(ports::Loop& loop, std::function<Accepted()> self, std::function<void(std::string)> on_garbled)
      : loop_(loop),
        self_(std::move(self)),
        on_garbled_(std::move(on_garbled)) {}

  void receive(Handlers handlers) override { handlers_ = std::move(handlers); }
  void send(NodeId node, model::ToAgent message, Monotonic valid_until) override;
  std::unique_ptr<ports::LogReader> read(NodeId node, ports::LogQuery query, std::function<void(ports::LogLine)> on_line,
                                         std::function<void(Status)> on_end) override;

  // A stream of an agent that is welcome.
  void take(Caller const& caller, rpc::Incoming& incoming);
  void take_logs(Caller const& caller, rpc::Incoming& incoming);
  void tell_cluster(Caller const& caller, rpc::Incoming& incoming);
  // Who is connected with this id, and for how long nothing has come from it.
  struct Present {
    Caller caller;
    Duration silent_for{};
  };
  std::optional<Present> find(NodeId node) const;

 private:
  struct Connected {
    Caller caller;
    std::uint64_t serial = 0;
    std::unique_ptr<rpc::Stream> stream;
    Monotonic heard_at{};
    bool is_garbled = false;  // and that was told
  };
  class Reader;
  struct Reading {
    NodeId node;
    Reader* reader = nullptr;
  };

  void on_message(NodeId node, std::uint64_t serial, Result<model::ToMaster> message);
  void on_end(NodeId node, std::uint64_t serial);

  ports::Loop& loop_;
  std::function<Accepted()> self_;
  std::function<void(std::string)> on_garbled_;
  Handlers handlers_;
  Wire wire_;
  std::map<NodeId, Connected> agents_;
  std::map<std::uint64_t, Reading> readings_;
  std::map<std::uint64_t, std::unique_ptr<rpc::Stream>> askers_;  // which cluster this is; until they go
  std::uint64_t next_serial_ = 1;
  std::uint64_t next_reading_ = 1;
};

}  // namespace davit::link_grpc
