#include "adapters/dns_server/dns_server.hpp"

#include <utility>

namespace davit::dns_server {

DnsServer::DnsServer(Options options) : serving_(std::make_unique<Serving>(loop_, std::move(options))), thread_([this] { loop_.run(); }) {}

DnsServer::~DnsServer() {
  loop_.post([this] { serving_->close([this] { loop_.stop(); }); });
  thread_.join();
}

void DnsServer::show(std::shared_ptr<model::Directory const> directory) {
  loop_.post([this, directory = std::move(directory)]() mutable { serving_->show(std::move(directory)); });
}

Result<std::uint16_t> DnsServer::listen(dns::Address const& address, std::uint16_t port) {
  TRY(auto sockets, open_sockets(address, port));
  auto const bound = sockets.port;
  address_ = address;
  auto const handed = std::make_shared<ListeningSockets>(std::move(sockets));
  loop_.post([this, handed] { serving_->listen(std::move(*handed)); });
  return bound;
}

}  // namespace davit::dns_server
