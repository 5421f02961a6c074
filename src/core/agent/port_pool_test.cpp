#include "core/agent/port_pool.hpp"

#include <gmock/gmock.h>

#include "core/agent/agent_harness.hpp"

namespace davit::agent {
namespace {

using model::PortMode;
using model::PortSpec;
using model::Protocol;

constexpr Monotonic kNow{100s};

std::vector<std::uint16_t> numbers(Result<std::vector<model::PublishedPort>> const& picked) {
  std::vector<std::uint16_t> all;
  if (!picked) return all;
  for (auto const& port : *picked) all.push_back(port.published);
  return all;
}

TEST(PortPool, picks_a_port_for_an_instance_behind_an_ingress_port) {
  PortPool pool({20'000, 20'001});
  std::vector<PortSpec> const wanted{{.target = 80, .published = 8'080, .mode = PortMode::Ingress}};
  auto const first = pool.pick(wanted, kNow);
  EXPECT_THAT(numbers(first), testing::ElementsAre(20'000));
  pool.take(*first);
  EXPECT_THAT(numbers(pool.pick(wanted, kNow)), testing::ElementsAre(20'001)) << "any number of instances fits on the node";
}

TEST(PortPool, keeps_clear_of_reserved_ports_unless_a_user_names_one) {
  PortPool pool({20'000, 20'002});
  pool.reserve({{Protocol::Tcp, std::uint16_t{20'000}}, {Protocol::Udp, std::uint16_t{20'001}}});
  EXPECT_THAT(numbers(pool.pick({{.target = 80}, {.target = 81}}, kNow)), testing::ElementsAre(20'001, 20'002));
  EXPECT_THAT(numbers(pool.pick({{.target = 80, .published = 20'000}}, kNow)), testing::ElementsAre(20'000));
  EXPECT_THAT(numbers(pool.pick({{.target = 80, .published = 20'000, .published_end = 20'001}}, kNow)), testing::ElementsAre(20'001));
  pool.reserve({});
  EXPECT_THAT(numbers(pool.pick({{.target = 80}}, kNow)), testing::ElementsAre(20'000));
}

using AgentPortsTest = AgentTest;

TEST_F(AgentPortsTest, are_picked_clear_of_the_cluster_s_ingress_ports) {
  std::vector<model::IngressPort> const ingress{{.published = PortRange().first, .target = 80}};
  tell(model::DirectoryChanged{
      .is_first = true, .is_whole = true, .services = {{.name = "shop", .instances = {}, .ingress = ingress}}, .nodes = {}});
  auto offered = offer(0);
  auto spec = std::make_shared<model::ServiceSpec>(*offered.spec);
  spec->ports = {{.target = 80}};
  offered.spec = spec;
  tell(offered);
  auto const report = last_report();
  ASSERT_THAT(report.ports, testing::SizeIs(1));
  EXPECT_EQ(report.ports[0].published, PortRange().first + 1);
}

}  // namespace
}  // namespace davit::agent
