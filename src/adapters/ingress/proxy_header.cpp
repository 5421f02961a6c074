#include "adapters/ingress/proxy_header.hpp"

#include <string_view>

namespace davit::ingress {
namespace {

using namespace std::string_view_literals;

constexpr auto kSignature = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr char kVersion2Proxy = '\x21';
constexpr char kTcpOverIpv4 = '\x11';
constexpr char kTcpOverIpv6 = '\x21';

}  // namespace

std::string proxy_header(Address const& client, Address const& server) {
  auto const from = bytes_of(unmapped(client));
  auto const to = bytes_of(unmapped(server));
  auto const address_size = from.size() - sizeof(in_port_t);
  std::string header(kSignature);
  header += kVersion2Proxy;
  header += address_size == sizeof(in_addr) ? kTcpOverIpv4 : kTcpOverIpv6;
  header += '\0';
  header += static_cast<char>(from.size() + to.size());
  header += from.substr(0, address_size) + to.substr(0, address_size);
  header += from.substr(address_size) + to.substr(address_size);
  return header;
}

}  // namespace davit::ingress
