// Asks masters which cluster they are of, for a node that has lost its state. Owned by the app, until it is answered.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "adapters/link_grpc/dialler.hpp"
#include "adapters/link_grpc/handshake.hpp"
#include "adapters/link_grpc/wire.hpp"
#include "ports/loop.hpp"
#include "rpc/client.hpp"

namespace davit::link_grpc {

class ClusterQuery {
 public:
  struct Options {
    std::vector<std::string> masters;  // addresses; asked until one answers
    std::optional<rpc::Tls> tls;
    Caller caller;
    std::function<void(std::string)> on_refused;
  };
  ClusterQuery(ports::Loop& loop, Options options);
  ClusterQuery(ClusterQuery const&) = delete;
  ClusterQuery& operator=(ClusterQuery const&) = delete;

  std::optional<ClusterId> answer() const { return answer_; }

 private:
  std::optional<ClusterId> answer_;
  rpc::Client client_;
  Dialler<FromMaster> dialler_;
};

}  // namespace davit::link_grpc
