// An address and a port as URLs and people write them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace davit {

// "10.0.0.11:80", "[::1]:80", "web.example:80". The host comes without brackets.
inline std::string host_port(std::string_view host, std::int64_t port) {
  bool const is_ipv6 = host.contains(':');
  return std::string(is_ipv6 ? "[" : "").append(host).append(is_ipv6 ? "]:" : ":").append(std::to_string(port));
}

}  // namespace davit
