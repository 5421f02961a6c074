// The values of model/ in the messages of proto/davit/link.proto and back. Only for the .cpp files of this folder: nobody else
// sees protobuf.
//
// put() writes a value into a message; get() reads one. An absent optional of get() is a kind of message that this version does
// not know.
#pragma once

#include <optional>

#include "adapters/link_grpc/wire.hpp"
#include "proto/davit/link.pb.h"

namespace davit::link_grpc {

namespace wire = davit::link::v1;

void put(Accepted const& value, wire::Accepted& out);
void put(WantLogs const& value, wire::WantLogs& out);
void put(Error const& value, wire::Failure& out);
void put(Wire& wire, model::ToAgent const& value, wire::ToAgent& out);
void put(model::ToMaster const& value, wire::ToMaster& out);
void put(Wire& wire, model::PeerMessage const& value, wire::PeerMessage& out);

Accepted get(wire::Accepted const& message);
WantLogs get(wire::WantLogs const& message);
Error get(wire::Failure const& message);
Result<std::optional<model::ToAgent>> get(Wire& wire, wire::ToAgent const& message);
Result<std::optional<model::ToMaster>> get(wire::ToMaster const& message);
Result<std::optional<model::PeerMessage>> get(Wire& wire, wire::PeerMessage const& message);

}  // namespace davit::link_grpc
