// IP addresses as records hold them, and networks of them.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/dns/name.hpp"

namespace davit::dns {

struct Address {
  std::array<std::uint8_t, 16> bytes{};  // of IPv4 the first four, then zeros
  bool is_v6 = false;

  Bytes octets() const { return Bytes(bytes).first(is_v6 ? 16 : 4); }
  bool is_any() const { return bytes == decltype(bytes){}; }
  bool is_loopback() const;
  bool is_link_local() const;  // fe80::/10
  friend auto operator<=>(Address const&, Address const&) = default;
};

// "10.0.0.1", "fd00::1"; nothing for all else.
std::optional<Address> parse_address(std::string const& text);
std::string to_string(Address const& address);

struct Network {
  Address address;
  unsigned bits = 0;  // how many of them all members share

  bool contains(Address const& member) const;
  friend bool operator==(Network const&, Network const&) = default;
};

// Who is on this host: itself under all its addresses, and the containers on its bridges.
struct Neighbourhood {
  std::vector<Address> own;
  std::vector<Network> bridges;

  bool holds(Address const& address) const;
};

// What a name below in-addr.arpa or ip6.arpa stands for; nothing if it is no whole address.
std::optional<Address> reversed_address(Name const& name);

}  // namespace davit::dns
