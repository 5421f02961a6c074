// Between masters: of each pair the one with the smaller id opens the stream. Owned by the app, fed by the Listener; control thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/link_grpc/dialler.hpp"
#include "adapters/link_grpc/handshake.hpp"
#include "ports/loop.hpp"
#include "ports/peer.hpp"
#include "rpc/client.hpp"
#include "rpc/server.hpp"

namespace davit::link_grpc {

class PeerLink final : public ports::PeerLink {
 public:
  struct Options {
    NodeId self;
    std::optional<rpc::Tls> tls;
    std::function<Caller()> caller;      // this master, when it opens a stream
    std::function<Accepted()> accepted;  // and when it takes one
    std::function<void(std::string)> on_refused;
  };
  PeerLink(ports::Loop& loop, Options options);

  void receive(Handlers handlers) override { handlers_ = std::move(handlers); }
  void send(NodeId master, model::PeerMessage message, Monotonic valid_until) override;
  void keep_connected(std::vector<model::MasterAddress> masters) override;

  // A stream of a master that is welcome.
  void take(Caller const& caller, rpc::Incoming& incoming);

 private:
  struct Connected {
    std::uint64_t serial = 0;
    std::unique_ptr<rpc::Stream> stream;
  };

  void on_end(NodeId master, std::uint64_t serial);

  Options options_;
  Handlers handlers_;
  Wire wire_;
  std::map<NodeId, Connected> callers_;
  std::uint64_t next_serial_ = 1;
  rpc::Client client_;
  Dialler<FromPeer> dialler_;
};

}  // namespace davit::link_grpc
