// All that lives on the server's own thread: the responder, the listeners, the questions that are forwarded. Owned by DnsServer.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include <boost/asio/awaitable.hpp>

#include "adapters/dns_server/forwarder.hpp"
#include "adapters/dns_server/quota.hpp"
#include "adapters/dns_server/sockets.hpp"
#include "adapters/dns_server/tcp_listener.hpp"
#include "adapters/dns_server/udp_listener.hpp"
#include "core/dns/responder.hpp"
#include "runtime/asio_loop.hpp"
#include "runtime/gate.hpp"

namespace davit::dns_server {

struct Options {
  dns::Name domain;
  Duration ttl = 1s;
  std::filesystem::path resolv_conf = "/etc/resolv.conf";
  std::uint16_t resolvers_port = 53;
};

class Serving {
 public:
  Serving(runtime::AsioLoop& loop, Options options);

  void show(std::shared_ptr<model::Directory const> directory) { responder_.show(std::move(directory)); }
  void listen(ListeningSockets sockets);  // in place of the former ones
  void close(std::function<void()> closed);

 private:
  std::size_t on_datagram(UdpListener::Client const& client, dns::Bytes message, std::span<std::uint8_t> buffer);
  boost::asio::awaitable<dns::Message> async_on_message(dns::Address source, dns::Message message);
  boost::asio::awaitable<void> async_forward(std::shared_ptr<UdpListener> by, UdpListener::Client client, dns::Message message,
                                             dns::Query query, Quota::Ticket ticket);
  void stop_listening();
  void look_for(dns::Address const& source);
  void look_around();
  bool is_ourselves(dns::Address const& address) const;

  runtime::AsioLoop& loop_;
  dns::Responder responder_;
  dns::Neighbourhood around_;
  Monotonic looked_at_{};
  Forwarder forwarder_;
  Quota connections_;
  dns::Address address_;  // where it listens
  std::uint16_t port_ = 0;
  std::uint16_t const resolvers_port_;
  std::shared_ptr<UdpListener> udp_;
  std::shared_ptr<TcpListener> tcp_;
  dns::Query query_;  // of the message at hand
  runtime::Gate gate_;  // last: what runs in it uses the rest
};

}  // namespace davit::dns_server
