// How a stream begins: what the side that opens it says of itself, and why the other refuses it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "rpc/server.hpp"
#include "rpc/stream.hpp"

namespace davit::link_grpc {

inline constexpr std::string_view kAgentMethod = "/davit.link.v1.Link/Agent";
inline constexpr std::string_view kPeerMethod = "/davit.link.v1.Link/Peer";
inline constexpr std::string_view kLogsMethod = "/davit.link.v1.Link/Logs";
// Answered with Accepted, which names the cluster, and no more: for a node that does not know who it is. Refused where a node of the
// caller's id is connected.
inline constexpr std::string_view kClusterMethod = "/davit.link.v1.Link/Cluster";

// Minor versions understand each other, major ones do not.
inline constexpr std::string_view kProtocol = "1.1";

struct Caller {
  NodeId id;
  std::string name;
  ClusterId cluster;    // that it belongs to; zero: none yet
  std::string process;  // unique to this life of the process
  std::string address;  // that it calls from; not sent
};

rpc::Metadata metadata_of(Caller const& caller);
// Errors: what is said to the caller.
Result<Caller> read_caller(rpc::Incoming const& incoming);

}  // namespace davit::link_grpc
