// An address with a port, as the kernel takes and gives it.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/result.hpp"

namespace davit::ingress {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  sockaddr const* get() const { return reinterpret_cast<sockaddr const*>(&storage); }
  int family() const { return storage.ss_family; }
  sockaddr_in const& v4() const { return reinterpret_cast<sockaddr_in const&>(storage); }
  sockaddr_in6 const& v6() const { return reinterpret_cast<sockaddr_in6 const&>(storage); }
};

// A name is looked up, which may take seconds.
Result<Address> find_address_blocking(std::string const& host, std::uint16_t port);
// An IPv4 address that came over an IPv6 socket, as what it is.
Address unmapped(Address const& address);
std::string to_string(Address const& address);  // "10.0.0.1:80", "[::1]:80"
// Family, address and port in bytes: what tells two addresses apart.
std::string bytes_of(Address const& address);

}  // namespace davit::ingress
