// The sockets that a DNS server listens on, and addresses as the kernel writes them. Any thread.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "core/dns/address.hpp"
#include "runtime/fd.hpp"

namespace davit::dns_server {

// Both bound to the same port, for a resolver asks over TCP what did not fit.
struct ListeningSockets {
  dns::Address address;
  std::uint16_t port = 0;
  runtime::Fd udp;
  runtime::Fd tcp;
};

// At port 0 the kernel chooses. The error says what to do.
Result<ListeningSockets> open_sockets(dns::Address const& address, std::uint16_t port);

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};
SocketAddress to_socket_address(dns::Address const& address, std::uint16_t port);
// An IPv4 address in IPv6's clothes is taken for what it is.
dns::Address address_of(sockaddr_storage const& socket_address);
std::uint16_t port_of(sockaddr_storage const& socket_address);
std::string to_string(dns::Address const& address, std::uint16_t port);

}  // namespace davit::dns_server
