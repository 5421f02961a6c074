#include "core/dns/address.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace davit::dns {
namespace {

TEST(Address, is_read_and_written) {
  for (auto const* const text : {"10.0.0.1", "255.255.255.255", "::", "fd00::1"}) EXPECT_EQ(to_string(*parse_address(text)), text);
  for (auto const* const text : {"", "10.0.0", "10.0.0.256", "fe80::1%eth0", "host"}) EXPECT_FALSE(parse_address(text)) << text;
}

TEST(Network, contains_its_own) {
  struct Case {
    char const* network;
    unsigned bits;
    char const* address;
    bool is_within;
  };
  for (auto const& [network, bits, address, is_within] : std::vector<Case>{{"172.17.0.1", 16, "172.17.255.255", true},
                                                                           {"172.17.0.1", 16, "172.18.0.1", false},
                                                                           {"10.0.0.1", 9, "10.127.0.1", true},
                                                                           {"10.0.0.1", 9, "10.128.0.1", false},
                                                                           {"10.0.0.1", 32, "10.0.0.1", true},
                                                                           {"10.0.0.1", 32, "10.0.0.2", false},
                                                                           {"0.0.0.0", 0, "9.9.9.9", true},
                                                                           {"0.0.0.0", 0, "::1", false},
                                                                           {"fd00::1", 64, "fd00::2:1", true}}) {
    EXPECT_EQ((Network{*parse_address(network), bits}.contains(*parse_address(address))), is_within) << network << ' ' << address;
  }
}

TEST(ReversedAddress, is_whole_or_nothing) {
  auto const read = [](std::string const& text) {
    auto const address = reversed_address(*Name::parse(text));
    return address ? to_string(*address) : "none";
  };
  EXPECT_EQ(read("5.0.17.172.in-addr.arpa"), "172.17.0.5");
  EXPECT_EQ(read("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa"), "fd00::1");
  for (auto const* const text : {"17.172.in-addr.arpa", "256.0.17.172.in-addr.arpa", "05.0.17.172.in-addr.arpa", "x.0.17.172.in-addr.arpa",
                                 "1.5.0.17.172.in-addr.arpa", "in-addr.arpa", "arpa", "d.f.ip6.arpa", "example.org"})
    EXPECT_EQ(read(text), "none") << text;
}

}  // namespace
}  // namespace davit::dns
