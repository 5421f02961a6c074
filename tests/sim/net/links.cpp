#include "sim/net/links.hpp"

#include <algorithm>

namespace davit::sim {

AgentLink::AgentLink(Place place, std::string address, Observer& observer)
    : place_(place),
      observer_(observer),
      acceptor_(place, std::move(address),
                {.on_joined = [this](NodeId node) { handlers_.on_joined(node); },
                 .on_message = [this](NodeId node,
                                      Message message) { handlers_.on_message(node, std::get<model::ToMaster>(std::move(message))); },
                 .on_left = [this](NodeId node) { handlers_.on_left(node); },
                 .on_dropped = [this](NodeId node) { handlers_.on_dropped(node); }}) {}

void AgentLink::send(NodeId node, model::ToAgent message, Monotonic valid_until) {
  auto* connection = acceptor_.find(node);
  if (!connection || valid_until <= place_.process.now().monotonic) return;
  observer_.on_sent_to_agent(place_.self, node, message);
  connection->send(End::Server, std::move(message), valid_until);
}

MasterLink::MasterLink(Place place, std::vector<model::MasterAddress> first, Observer& observer)
    : place_(place),
      observer_(observer),
      first_(std::move(first)),
      dialler_(place, {.on_joined = [this](NodeId master) { handlers_.on_joined(master); },
                       .on_message =
                           [this](NodeId master, Message message) {
                             auto to_agent = std::get<model::ToAgent>(std::move(message));
                             observer_.on_received_by_agent(place_.self, to_agent);
                             handlers_.on_message(master, std::move(to_agent));
                           },
                       .on_left = [this](NodeId master) { handlers_.on_left(master); }}) {}

void MasterLink::send(NodeId master, model::ToMaster message) {
  auto* connection = dialler_.find(master);
  if (!connection) return;
  observer_.on_sent_by_agent(place_.self, master, message);
  connection->send(End::Client, std::move(message));
}

void MasterLink::keep_connected(std::vector<model::MasterAddress> masters) {
  for (auto const& each : first_) {
    if (std::ranges::find(masters, each.id, &model::MasterAddress::id) == masters.end()) masters.push_back(each);
  }
  dialler_.keep_connected(masters);
}

PeerLink::PeerLink(Place place, std::string address, Observer& observer)
    : place_(place),
      observer_(observer),
      acceptor_(place, address + "/peers", to_handlers()),
      dialler_(place, to_handlers()) {}

Dialler::Handlers PeerLink::to_handlers() {
  return {
      .on_joined = [this](NodeId peer) { handlers_.on_joined(peer); },
      .on_message = [this](NodeId peer, Message message) { handlers_.on_message(peer, std::get<model::PeerMessage>(std::move(message))); },
      .on_left = [this](NodeId peer) { handlers_.on_left(peer); },
      .on_dropped = [this](NodeId peer) { handlers_.on_dropped(peer); }};
}

void PeerLink::send(NodeId master, model::PeerMessage message, Monotonic valid_until) {
  bool const is_dialled = place_.self < master;
  auto* connection = is_dialled ? dialler_.find(master) : acceptor_.find(master);
  if (!connection || valid_until <= place_.process.now().monotonic) return;
  observer_.on_sent_to_peer(place_.self, master, message);
  connection->send(is_dialled ? End::Client : End::Server, std::move(message), valid_until);
}

void PeerLink::keep_connected(std::vector<model::MasterAddress> masters) {
  std::erase_if(masters, [&](auto const& each) { return !(place_.self < each.id); });
  for (auto& each : masters) each.address += "/peers";
  dialler_.keep_connected(masters);
}

}  // namespace davit::sim
