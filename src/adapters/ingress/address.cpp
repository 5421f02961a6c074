#include "adapters/ingress/address.hpp"

#include <array>
#include <cstring>

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netdb.h>

namespace davit::ingress {

Result<Address> find_address_blocking(std::string const& host, std::uint16_t port) {
  Address address;
  auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage);
  if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    address.size = sizeof(sockaddr_in);
    return address;
  }
  if (inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    address.size = sizeof(sockaddr_in6);
    return address;
  }
  addrinfo* found = nullptr;
  addrinfo const wanted{.ai_flags = AI_ADDRCONFIG, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  int const failed = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found);
  if (failed != 0 || !found) return fail(Code::Unavailable, fmt::format("{}: {}", host, ::gai_strerror(failed)));
  std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  address.size = found->ai_addrlen;
  ::freeaddrinfo(found);
  return address;
}

Address unmapped(Address const& address) {
  if (address.family() != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&address.v6().sin6_addr)) return address;
  Address plain;
  auto& v4 = reinterpret_cast<sockaddr_in&>(plain.storage);
  v4.sin_family = AF_INET;
  v4.sin_port = address.v6().sin6_port;
  std::memcpy(&v4.sin_addr, address.v6().sin6_addr.s6_addr + 12, 4);
  plain.size = sizeof(sockaddr_in);
  return plain;
}

std::string to_string(Address const& address) {
  auto const plain = unmapped(address);
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (plain.family() == AF_INET) {
    inet_ntop(AF_INET, &plain.v4().sin_addr, text.data(), text.size());
    return fmt::format("{}:{}", text.data(), ntohs(plain.v4().sin_port));
  }
  inet_ntop(AF_INET6, &plain.v6().sin6_addr, text.data(), text.size());
  return fmt::format("[{}]:{}", text.data(), ntohs(plain.v6().sin6_port));
}

std::string bytes_of(Address const& address) {
  std::string bytes;
  auto const add = [&bytes](void const* data, std::size_t size) { bytes.append(static_cast<char const*>(data), size); };
  if (address.family() == AF_INET) {
    add(&address.v4().sin_addr, sizeof(in_addr));
    add(&address.v4().sin_port, sizeof(in_port_t));
  } else {
    add(&address.v6().sin6_addr, sizeof(in6_addr));
    add(&address.v6().sin6_port, sizeof(in_port_t));
  }
  return bytes;
}

}  // namespace davit::ingress
