#include "adapters/dns_server/sockets.hpp"

#include <cerrno>
#include <cstring>

#include <algorithm>
#include <array>

#include <fmt/core.h>

namespace davit::dns_server {
namespace {

constexpr int kPortTries = 20;
constexpr int kReceiveBuffer = 1 << 20;  // bytes, for bursts; the kernel gives what its limit allows
constexpr int kBacklog = 128;

Result<runtime::Fd> open_bound(int kind, dns::Address const& address, std::uint16_t port) {
  int const yes = 1;
  runtime::Fd socket(::socket(address.is_v6 ? AF_INET6 : AF_INET, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return fail(Code::Unavailable, std::strerror(errno));
  if (kind == SOCK_STREAM) {
    setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  } else {
    setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof kReceiveBuffer);
    // Listening on all addresses, the answer must come from the one that was asked.
    if (address.is_any() && address.is_v6) setsockopt(socket.get(), IPPROTO_IPV6, IPV6_RECVPKTINFO, &yes, sizeof yes);
    else if (address.is_any()) setsockopt(socket.get(), IPPROTO_IP, IP_PKTINFO, &yes, sizeof yes);
  }
  auto const to = to_socket_address(address, port);
  if (bind(socket.get(), reinterpret_cast<sockaddr const*>(&to.storage), to.size) == 0) return socket;
  auto const where = to_string(address, port);
  switch (errno) {
    case EADDRINUSE:
      return fail(Code::Exists, fmt::format("another program answers at {} (ss -lntup 'sport = :{}' names it): stop it or move it, or give "
                                            "another address with --dns-listen, or --dns-listen none",
                                            where, port));
    case EACCES:
      return fail(Code::Unavailable,
                  fmt::format("{} may only be listened on by root or with CAP_NET_BIND_SERVICE: give it to the program "
                              "(setcap cap_net_bind_service=+ep), or --dns-listen with a port above 1023, which containers "
                              "cannot be told of, or --dns-listen none",
                              where));
    case EADDRNOTAVAIL: return fail(Code::NotFound, fmt::format("this machine does not have the address {}", dns::to_string(address)));
    default: return fail(Code::Unavailable, fmt::format("cannot listen at {}: {}", where, std::strerror(errno)));
  }
}

Result<std::uint16_t> bound_port(runtime::Fd const& socket) {
  SocketAddress own{.size = sizeof(sockaddr_storage)};
  if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own.storage), &own.size) != 0) {
    return fail(Code::Internal, std::strerror(errno));
  }
  return port_of(own.storage);
}

}  // namespace

Result<ListeningSockets> open_sockets(dns::Address const& address, std::uint16_t port) {
  ListeningSockets sockets{.address = address};
  for (int tries = kPortTries;; --tries) {
    TRY(sockets.tcp, open_bound(SOCK_STREAM, address, port));
    TRY(sockets.port, bound_port(sockets.tcp));
    auto udp = open_bound(SOCK_DGRAM, address, sockets.port);
    if (!udp && port == 0 && tries > 0) continue;
    TRY(sockets.udp, std::move(udp));
    break;
  }
  if (listen(sockets.tcp.get(), kBacklog) != 0) return fail(Code::Exists, fmt::format("cannot listen: {}", std::strerror(errno)));
  return sockets;
}

SocketAddress to_socket_address(dns::Address const& address, std::uint16_t port) {
  SocketAddress out;
  if (address.is_v6) {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(out.storage);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&v6.sin6_addr, address.bytes.data(), 16);
    out.size = sizeof v6;
  } else {
    auto& v4 = reinterpret_cast<sockaddr_in&>(out.storage);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, address.bytes.data(), 4);
    out.size = sizeof v4;
  }
  return out;
}

dns::Address address_of(sockaddr_storage const& socket_address) {
  dns::Address address;
  if (socket_address.ss_family != AF_INET6) {
    std::memcpy(address.bytes.data(), &reinterpret_cast<sockaddr_in const&>(socket_address).sin_addr, 4);
    return address;
  }
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), &reinterpret_cast<sockaddr_in6 const&>(socket_address).sin6_addr, 16);
  constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  if (std::equal(kMapped.begin(), kMapped.end(), bytes.begin())) {
    std::copy_n(bytes.begin() + kMapped.size(), 4, address.bytes.begin());
  } else {
    address = {.bytes = bytes, .is_v6 = true};
  }
  return address;
}

std::uint16_t port_of(sockaddr_storage const& socket_address) {
  if (socket_address.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6 const&>(socket_address).sin6_port);
  return ntohs(reinterpret_cast<sockaddr_in const&>(socket_address).sin_port);
}

std::string to_string(dns::Address const& address, std::uint16_t port) {
  return address.is_v6 ? fmt::format("[{}]:{}", dns::to_string(address), port) : fmt::format("{}:{}", dns::to_string(address), port);
}

}  // namespace davit::dns_server
