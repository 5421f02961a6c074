#include "core/dns/address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>

namespace davit::dns {
namespace {

constexpr std::size_t kNibbles = 32;

std::optional<std::uint8_t> number(std::string_view text, int base, unsigned most) {
  unsigned value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  bool const is_padded = text.size() > 1 && text.starts_with('0');
  if (error != std::errc{} || end != text.data() + text.size() || value > most || is_padded) return std::nullopt;
  return static_cast<std::uint8_t>(value);
}

bool ends_in(Name const& name, std::string_view second, std::string_view last) {
  auto const count = name.count();
  return count >= 2 && name.label(count - 2) == second && name.label(count - 1) == last;
}

std::optional<Address> reversed_v4(Name const& name) {
  if (name.count() != 6) return std::nullopt;
  Address address;
  for (std::size_t i = 0; i < 4; ++i) {
    auto const octet = number(name.label(3 - i), 10, 255);
    if (!octet) return std::nullopt;
    address.bytes[i] = *octet;
  }
  return address;
}

std::optional<Address> reversed_v6(Name const& name) {
  if (name.count() != kNibbles + 2) return std::nullopt;
  Address address{.is_v6 = true};
  for (std::size_t i = 0; i < kNibbles; ++i) {
    auto const nibble = number(name.label(kNibbles - 1 - i), 16, 15);
    if (!nibble) return std::nullopt;
    auto& byte = address.bytes[i / 2];
    byte = static_cast<std::uint8_t>((byte << 4) | *nibble);
  }
  return address;
}

}  // namespace

bool Address::is_link_local() const { return is_v6 && bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80; }

bool Address::is_loopback() const {
  if (!is_v6) return bytes[0] == 127;
  return bytes.back() == 1 && std::all_of(bytes.begin(), bytes.end() - 1, [](std::uint8_t byte) { return byte == 0; });
}

std::optional<Address> parse_address(std::string const& text) {
  Address address;
  if (inet_pton(AF_INET, text.c_str(), address.bytes.data()) == 1) return address;
  address.is_v6 = true;
  if (inet_pton(AF_INET6, text.c_str(), address.bytes.data()) == 1) return address;
  return std::nullopt;
}

std::string to_string(Address const& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(address.is_v6 ? AF_INET6 : AF_INET, address.bytes.data(), text.data(), text.size());
  return text.data();
}

bool Network::contains(Address const& member) const {
  if (member.is_v6 != address.is_v6) return false;
  auto const whole = bits / 8;
  if (!std::equal(member.bytes.begin(), member.bytes.begin() + whole, address.bytes.begin())) return false;
  auto const rest = bits % 8;
  if (rest == 0) return true;
  return ((member.bytes[whole] ^ address.bytes[whole]) >> (8 - rest)) == 0;
}

bool Neighbourhood::holds(Address const& address) const {
  return address.is_loopback() || std::ranges::find(own, address) != own.end() ||
         std::ranges::any_of(bridges, [&](Network const& bridge) { return bridge.contains(address); });
}

std::optional<Address> reversed_address(Name const& name) {
  if (ends_in(name, "in-addr", "arpa")) return reversed_v4(name);
  if (ends_in(name, "ip6", "arpa")) return reversed_v6(name);
  return std::nullopt;
}

}  // namespace davit::dns
