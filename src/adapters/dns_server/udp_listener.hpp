// Answers over UDP, many messages with each call of the kernel. Made by Serving and kept by its coroutines; the server's thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/udp.hpp>

#include "adapters/dns_server/sockets.hpp"
#include "core/dns/responder.hpp"
#include "runtime/asio_loop.hpp"

namespace davit::dns_server {

class UdpListener {
 public:
  // Whom an answer goes to, and from which of our addresses it must come.
  struct Client {
    SocketAddress peer;
    alignas(std::size_t) std::array<char, 64> control{};
    std::size_t control_size = 0;
  };
  // Writes a reply to the buffer and gives its size; 0: there is none, or it comes later by send().
  using Answer = std::function<std::size_t(Client const&, dns::Bytes message, std::span<std::uint8_t> buffer)>;

  UdpListener(runtime::AsioLoop& loop, runtime::Fd socket, bool is_v6, Answer answer);
  ~UdpListener();
  UdpListener(UdpListener const&) = delete;
  UdpListener& operator=(UdpListener const&) = delete;

  static boost::asio::awaitable<void> async_run(std::shared_ptr<UdpListener> self);  // until close()
  void send(Client const& client, dns::Bytes reply);
  void close();

 private:
  struct Batch;

  bool serve_batch();  // false: nothing more waits
  void send_batch(std::size_t count);

  boost::asio::ip::udp::socket socket_;
  Answer answer_;
  std::unique_ptr<Batch> batch_;
};

}  // namespace davit::dns_server
