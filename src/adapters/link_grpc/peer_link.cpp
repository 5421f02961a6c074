#include "adapters/link_grpc/peer_link.hpp"

#include <utility>

namespace davit::link_grpc {

PeerLink::PeerLink(ports::Loop& loop, Options options)
    : options_(std::move(options)),
      client_(loop),
      dialler_(loop, client_, std::string(kPeerMethod), options_.tls, &Wire::decode_from_peer,
               [this] { return metadata_of(options_.caller()); },
               {.on_joined = [this](Accepted const& accepted) { handlers_.on_joined(accepted.master); },
                .on_message = [this](NodeId master,
                                     FromPeer message) { handlers_.on_message(master, std::get<model::PeerMessage>(std::move(message))); },
                .on_left = [this](NodeId master) { handlers_.on_left(master); },
                .on_dropped = [this](NodeId master) { handlers_.on_dropped(master); },
                .on_refused = [this](std::string text) { options_.on_refused(std::move(text)); }}) {}

void PeerLink::send(NodeId master, model::PeerMessage message, Monotonic valid_until) {
  auto const caller = callers_.find(master);
  auto* stream = caller == callers_.end() ? dialler_.find(master) : caller->second.stream.get();
  if (stream) stream->send(wire_.encode(message), valid_until);
}

void PeerLink::keep_connected(std::vector<model::MasterAddress> masters) {
  std::vector<std::string> addresses;
  for (auto& each : masters) {
    if (options_.self < each.id) addresses.push_back(std::move(each.address));
  }
  dialler_.keep_connected(addresses);
}

void PeerLink::take(Caller const& caller, rpc::Incoming& incoming) {
  auto const serial = next_serial_++;
  auto convert = [this, id = caller.id, serial, wire = std::make_shared<Wire>()](std::string bytes) -> rpc::Task {
    return [this, id, serial, message = std::make_shared<Result<FromPeer>>(wire->decode_from_peer(bytes))] {
      auto const found = callers_.find(id);
      if (found == callers_.end() || found->second.serial != serial || !*message) return;
      if (auto* said = std::get_if<model::PeerMessage>(&**message)) handlers_.on_message(id, std::move(*said));
    };
  };
  auto stream = incoming.accept(std::move(convert), [this, id = caller.id, serial](rpc::Outcome const&) { on_end(id, serial); });
  if (auto const old = callers_.find(caller.id); old != callers_.end()) on_end(caller.id, old->second.serial);
  stream->on_dropped([this, id = caller.id, serial] {
    auto const found = callers_.find(id);
    if (found != callers_.end() && found->second.serial == serial) handlers_.on_dropped(id);
  });
  stream->send(wire_.encode(options_.accepted(), true));
  callers_[caller.id] = {serial, std::move(stream)};
  handlers_.on_joined(caller.id);
}

void PeerLink::on_end(NodeId master, std::uint64_t serial) {
  auto const found = callers_.find(master);
  if (found == callers_.end() || found->second.serial != serial) return;
  auto const gone = callers_.extract(found);
  handlers_.on_left(master);
}

}  // namespace davit::link_grpc
