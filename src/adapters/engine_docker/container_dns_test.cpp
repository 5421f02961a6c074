#include "adapters/engine_docker/container_dns.hpp"

#include <gtest/gtest.h>

#include "adapters/engine_docker/create_body.hpp"
#include "codec/json.hpp"

namespace davit::engine_docker {
namespace {

Bridge bridge_of(std::string_view json) { return read_bridge(*codec::parse_json(json)); }

TEST(ContainerDns, reads_the_bridge_as_engines_describe_it) {
  EXPECT_EQ(bridge_of(R"({"Name":"bridge","IPAM":{"Driver":"default","Config":[{"Subnet":"172.17.0.0/16","Gateway":"172.17.0.1"}]},
                          "Options":{"com.docker.network.bridge.name":"docker0"}})"),
            (Bridge{"docker0", "172.17.0.1"}));
  EXPECT_EQ(bridge_of(R"({"IPAM":{"Config":[{"Subnet":"fd00::/64","Gateway":"fd00::1"},{"Subnet":"10.1.0.0/16","Gateway":"10.1.0.1"}]}})"),
            (Bridge{"", "10.1.0.1"}));
  EXPECT_EQ(bridge_of(R"({"IPAM":{"Config":[{"Subnet":"172.17.0.0/16"}]},"Options":{"com.docker.network.bridge.name":"docker0"}})"),
            (Bridge{"docker0", ""}));
  EXPECT_EQ(bridge_of("{}"), Bridge{});
}

// What the body says of DNS: "dns|search|options".
std::string told(model::ServiceSpec spec, std::optional<ContainerDns> const& dns) {
  model::CreateContainer wanted;
  wanted.spec = std::make_shared<model::ServiceSpec const>(std::move(spec));
  auto const body = create_body(wanted, kNewestApi, dns);
  auto const& host = body.at("HostConfig");
  return codec::dump(host.at("Dns")) + "|" + codec::dump(host.at("DnsSearch")) + "|" + codec::dump(host.at("DnsOptions"));
}

TEST(ContainerDns, is_told_where_the_spec_says_nothing) {
  ContainerDns const dns{"172.17.0.1", {"davit", "example.org"}, {"ndots:1"}};
  EXPECT_EQ(told({}, dns), R"(["172.17.0.1"]|["davit","example.org"]|["ndots:1"])");
  EXPECT_EQ(told({.network_mode = "bridge"}, dns), R"(["172.17.0.1"]|["davit","example.org"]|["ndots:1"])");
  EXPECT_EQ(told({.network_mode = "mine"}, dns), "null|null|null") << "from there this node may not be reached";
  EXPECT_EQ(told({.dns_search = {"."}}, dns), R"(["172.17.0.1"]|["."]|["ndots:1"])");
  EXPECT_EQ(told({.dns = {"1.1.1.1"}}, dns), R"(["1.1.1.1"]|null|null)");
  EXPECT_EQ(told({.dns = {"1.1.1.1"}, .dns_search = {"x"}}, dns), R"(["1.1.1.1"]|["x"]|null)");
  EXPECT_EQ(told({.network_mode = "host"}, dns), "null|null|null");
  EXPECT_EQ(told({.network_mode = "none"}, dns), "null|null|null");
  EXPECT_EQ(told({}, std::nullopt), "null|null|null");
}

}  // namespace
}  // namespace davit::engine_docker
