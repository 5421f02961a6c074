#include "adapters/link_grpc/handshake.hpp"

#include <fmt/core.h>

namespace davit::link_grpc {
namespace {

std::string_view major_of(std::string_view version) { return version.substr(0, version.find('.')); }

}  // namespace

rpc::Metadata metadata_of(Caller const& caller) {
  return {{"davit-protocol", std::string(kProtocol)},
          {"davit-node", to_string(caller.id)},
          {"davit-name", caller.name},
          {"davit-cluster", caller.cluster ? to_string(caller.cluster) : std::string()},
          {"davit-process", caller.process}};
}

Result<Caller> read_caller(rpc::Incoming const& incoming) {
  auto const protocol = incoming.metadata("davit-protocol");
  if (protocol.empty()) return fail(Code::Invalid, "this is Davit's link, for its own nodes; the API has a port of its own");
  if (major_of(protocol) != major_of(kProtocol)) {
    return fail(Code::Unsupported, fmt::format("this node speaks version {} of the link's protocol, and the caller {}: their versions of "
                                               "davit are too far apart; upgrade the older one",
                                               kProtocol, protocol));
  }
  TRY(auto const id, parse_id<NodeId>(incoming.metadata("davit-node")));
  Caller caller{.id = id,
                .name = incoming.metadata("davit-name"),
                .cluster = {},
                .process = incoming.metadata("davit-process"),
                .address = incoming.client()};
  if (auto const cluster = incoming.metadata("davit-cluster"); !cluster.empty()) {
    TRY(caller.cluster, parse_id<ClusterId>(cluster));
  }
  return caller;
}

}  // namespace davit::link_grpc
