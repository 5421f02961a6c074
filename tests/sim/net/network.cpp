#include "sim/net/network.hpp"

#include "base/check.hpp"
#include "sim/net/connection.hpp"

namespace davit::sim {

HostId Network::add_host() {
  CHECK(hosts_ < kMostHosts);
  return HostId(hosts_++);
}

Duration Network::delay(HostId from, HostId to) {
  auto const usual = Duration(100us) + Duration(random_.below(900'000));
  return usual + link(from, to).extra;
}

void Network::change_cut(HostId from, HostId to, int by) {
  auto& changed = link(from, to);
  changed.cuts += by;
  CHECK(changed.cuts >= 0);
  for (auto const& connection : all()) connection->on_link_changed(from, to);
  for (auto const& listener : listeners_) listener();
}

void Network::isolate(HostId host, bool is_isolated) {
  for (std::size_t i = 0; i < hosts_; ++i) {
    if (HostId(i) == host) continue;
    change_cut(host, HostId(i), is_isolated ? 1 : -1);
    change_cut(HostId(i), host, is_isolated ? 1 : -1);
  }
}

std::uint64_t Network::attach(Connection& connection) {
  connections_.emplace(++last_connection_, &connection);
  return last_connection_;
}

// Held while they are told, because what one of them sets off may let go of another.
std::vector<std::shared_ptr<Connection>> Network::all() const {
  std::vector<std::shared_ptr<Connection>> all;
  all.reserve(connections_.size());
  for (auto const& [id, connection] : connections_) all.push_back(connection->shared_from_this());
  return all;
}

void Network::break_all(ProcessLoop const& process) {
  for (auto const& connection : all()) connection->on_process_ended(process);
}

void Network::break_all(HostId a, HostId b) {
  for (auto const& connection : all()) {
    if (connection->is_between(a, b)) connection->reset();
  }
}

}  // namespace davit::sim
