#include "app/node_dns.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace davit::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ContainerDnsOfNode, goes_before_what_the_host_searches) {
  auto const plain = container_dns("172.17.0.1", "davit", "nameserver 10.0.0.1\n");
  EXPECT_EQ(plain.server, "172.17.0.1");
  EXPECT_THAT(plain.search, ElementsAre("davit"));
  EXPECT_THAT(plain.options, IsEmpty());
  auto const host = container_dns("172.17.0.1", "davit", "search . a.example davit b.example c d e f g\noptions edns0 ndots:2\n");
  EXPECT_THAT(host.search, ElementsAre("davit", "a.example", "b.example", "c", "d", "e"));
  EXPECT_THAT(host.options, ElementsAre("edns0", "ndots:2"));
}

class NodeDnsTest : public testing::Test {
 protected:
  // With DNS at this address; its engine is here, or elsewhere.
  NodeDns make(std::string const& address, std::uint16_t port, bool is_here = true) {
    return {loop_,
            {.listen = HostPort{address, port}},
            {.kind = is_here ? http::Endpoint::Kind::Unix : http::Endpoint::Kind::Tcp, .host = "192.0.2.1"}};
  }
  runtime::AsioLoop loop_;
};

TEST_F(NodeDnsTest, tells_containers_of_nothing_that_they_cannot_reach) {
  // Not port 53, not started, loopback: none is a resolver for a container.
  EXPECT_FALSE(make("127.0.0.1", 0).at({"", "127.0.0.2"}));
  auto other = make("0.0.0.0", 0);
  other.start([] {});
  EXPECT_FALSE(other.at({"", "172.17.0.1"}));
  other.stop();
}

TEST_F(NodeDnsTest, listens_at_a_bridge_of_this_machine_only) {
  NodeDns dns(loop_, {}, {.kind = http::Endpoint::Kind::Unix});
  EXPECT_FALSE(dns.at({})) << "no bridge";
  EXPECT_FALSE(dns.at({"", "192.0.2.1"})) << "no address of this machine";
  NodeDns remote(loop_, {}, {.kind = http::Endpoint::Kind::Tcp, .host = "192.0.2.1"});
  EXPECT_FALSE(remote.at({"lo", ""})) << "the engine is elsewhere, whatever this machine has";
}

}  // namespace
}  // namespace davit::app
