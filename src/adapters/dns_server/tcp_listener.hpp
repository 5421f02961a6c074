// Answers over TCP, message after message of a connection. Made by Serving and kept by its coroutines; the server's thread.
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "adapters/dns_server/quota.hpp"
#include "adapters/dns_server/sockets.hpp"
#include "core/dns/forwarding.hpp"
#include "runtime/asio_loop.hpp"
#include "runtime/gate.hpp"

namespace davit::dns_server {

class TcpListener {
 public:
  // An empty reply: the connection is closed.
  using Answer = std::function<boost::asio::awaitable<dns::Message>(dns::Address source, dns::Message message)>;

  // `connections` outlives what runs in the gate.
  TcpListener(runtime::AsioLoop& loop, runtime::Gate& gate, runtime::Fd socket, bool is_v6, Quota& connections, Answer answer);

  static boost::asio::awaitable<void> async_run(std::shared_ptr<TcpListener> self);  // until close()
  void close();

 private:
  static boost::asio::awaitable<void> async_serve(std::shared_ptr<TcpListener> self, boost::asio::ip::tcp::socket socket,
                                                  dns::Address source, Quota::Ticket ticket);
  static boost::asio::awaitable<bool> async_serve_one(std::shared_ptr<TcpListener> self, boost::asio::ip::tcp::socket* socket,
                                                      dns::Address source);
  void admit(boost::asio::ip::tcp::socket socket, std::shared_ptr<TcpListener> const& self);

  runtime::AsioLoop& loop_;
  runtime::Gate& gate_;
  boost::asio::ip::tcp::acceptor acceptor_;
  Quota& connections_;
  Answer answer_;
};

}  // namespace davit::dns_server
