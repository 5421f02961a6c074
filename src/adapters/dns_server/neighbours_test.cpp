// On whatever machine this is. What bridges are told of, tests/integration shows on real ones.
#include "adapters/dns_server/neighbours.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace davit::dns_server {
namespace {

TEST(Neighbours, are_this_host_under_its_addresses) {
  auto const around = read_neighbourhood();
  EXPECT_THAT(around.own, testing::Contains(*dns::parse_address("127.0.0.1")));
  EXPECT_TRUE(around.holds(*dns::parse_address("127.0.0.1")));
  EXPECT_FALSE(around.holds(*dns::parse_address("192.0.2.77")));
  for (auto const& bridge : around.bridges) EXPECT_FALSE(bridge.address.is_loopback());
}

TEST(Neighbours, have_interfaces_with_addresses) {
  EXPECT_EQ(address_of_interface("lo"), dns::parse_address("127.0.0.1"));
  EXPECT_FALSE(address_of_interface("none-such"));
}

}  // namespace
}  // namespace davit::dns_server
