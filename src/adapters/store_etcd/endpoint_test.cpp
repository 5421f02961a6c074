#include "adapters/store_etcd/endpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace davit::store_etcd {
namespace {

using testing::ElementsAre;

TEST(Endpoint, is_an_address_or_a_url) {
  auto const plain = parse_endpoints({"10.0.0.1:2379", "http://etcd.example:2379/", "[::1]:2379"});
  ASSERT_TRUE(plain.has_value()) << plain.error().message;
  EXPECT_THAT(plain->addresses, ElementsAre("10.0.0.1:2379", "etcd.example:2379", "[::1]:2379"));
  EXPECT_FALSE(plain->is_secure);
  EXPECT_TRUE(parse_endpoints({"https://a:1", "https://b:1"})->is_secure);
}

TEST(Endpoint, is_refused_where_it_is_neither) {
  for (auto const* text :
       {"", "host", "host:", ":2379", "host:0", "host:65536", "host:port", "a:b:1", "ftp://host:1", "http://host:1/path"})
    EXPECT_EQ(parse_endpoints({text}).error().code, Code::Invalid) << text;
  EXPECT_EQ(parse_endpoints({}).error().code, Code::Invalid);
  EXPECT_EQ(parse_endpoints({"https://a:1", "b:1"}).error().code, Code::Invalid);
}

}  // namespace
}  // namespace davit::store_etcd
