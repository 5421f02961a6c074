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

TEST(PortPool, keeps_apart_what_is_on_one_address) {
  PortPool pool({20'000, 20'001});
  PortSpec const first{.target = 80, .published = 8'080, .host_ip = "127.0.0.1"};
  PortSpec const second{.target = 81, .published = 8'080, .host_ip = "127.0.0.2"};
  auto const both = pool.pick({first, second}, kNow);
  EXPECT_THAT(numbers(both), testing::ElementsAre(8'080, 8'080));
  pool.take(*both);
  EXPECT_FALSE(pool.pick({first}, kNow));
  EXPECT_FALSE(pool.pick({{.target = 82, .published = 8'080}}, kNow)) << "on all addresses";
  EXPECT_TRUE(pool.pick({{.target = 82, .published = 8'080, .host_ip = "127.0.0.3"}}, kNow));
  pool.release(*both);
  EXPECT_TRUE(pool.pick({{.target = 82, .published = 8'080}}, kNow));
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

class LateContainerTest : public AgentTest {
 protected:
  static model::RunInstance offer_with_port(InstanceId id, std::uint32_t slot, std::optional<std::int64_t> published = std::nullopt) {
    auto offered = offer(0, 1, id);
    auto spec = std::make_shared<model::ServiceSpec>(*offered.spec);
    spec->ports = {{.target = 80, .published = published}};
    offered.spec = spec;
    offered.slot = slot;
    return offered;
  }
  // As an earlier process of the agent asked for.
  std::string make_container(model::RunInstance const& of, std::uint16_t port, std::uint32_t attempt = 1) {
    Identity const identity{of.id, of.uid, of.service, of.slot, of.revision, of.fence, attempt, of.token};
    auto const id = "late" + std::to_string(attempt);
    auto& container = containers_[id];
    container.id = id;
    container.name = container_name(identity);
    container.labels = labels_of({{9}, durable_.node}, identity);
    container.ports = {{"", 80, Protocol::Tcp, "0.0.0.0", port}};
    return id;
  }
  std::uint16_t bound_port(std::string const& container) { return containers_.at(container).ports.at(0).published; }
};

TEST_F(LateContainerTest, is_made_again_when_another_instance_has_its_port) {
  tell(offer_with_port({77}, 1));
  EXPECT_EQ(last_report().ports.at(0).published, PortRange().first);
  auto const late = make_container(offer_with_port({78}, 2), PortRange().first);
  pass(31s);
  tell(offer_with_port({78}, 2));
  pass(1s);
  EXPECT_EQ(last_report().ports.at(0).published, PortRange().first + 1);
  EXPECT_FALSE(containers_.contains(late));
  std::set<std::uint16_t> bound;
  for (auto const& id : running()) bound.insert(bound_port(id));
  EXPECT_THAT(bound, testing::ElementsAre(PortRange().first, PortRange().first + 1));
}

TEST_F(LateContainerTest, waits_for_a_fixed_port_that_another_instance_has) {
  tell(offer_with_port({77}, 1, 8081));
  auto const first = running();
  ASSERT_THAT(first, testing::SizeIs(1));
  make_container(offer_with_port({78}, 2, 8081), 8081);
  pass(31s);
  tell(offer_with_port({78}, 2, 8081));
  pass(30s);
  EXPECT_EQ(running(), first);
  tell(stop(0, {77}));
  pass(70s);
  auto const next = running();
  ASSERT_THAT(next, testing::SizeIs(1));
  EXPECT_EQ(bound_port(next[0]), 8081);
}

TEST_F(LateContainerTest, is_started_when_its_port_is_its_own) {
  auto const late = make_container(offer_with_port({78}, 2), PortRange().first + 7);
  pass(31s);
  tell(offer_with_port({78}, 2));
  EXPECT_THAT(running(), testing::ElementsAre(late));
  EXPECT_EQ(last_report().ports.at(0).published, PortRange().first + 7);
}

TEST_F(LateContainerTest, that_vanishes_before_it_is_confirmed_is_looked_for_once_and_made_again) {
  auto const late = make_container(offer_with_port({78}, 2), PortRange().first + 7);
  containers_.at(late).state = model::ContainerState::Running;
  pass(31s);
  containers_.erase(late);
  pass(100s);
  EXPECT_EQ(last_report().reason, model::Reason::Vanished);
  tell(offer_with_port({78}, 2));
  pass(2s);
  EXPECT_THAT(running(), testing::SizeIs(1));
}

TEST_F(LateContainerTest, of_the_next_attempt_is_not_taken_for_one_with_other_ports) {
  tell(offer_with_port({77}, 1));
  auto const late = make_container(offer_with_port({77}, 1), PortRange().first + 7, 2);
  auto const first = running().at(0);
  containers_.at(first).state = model::ContainerState::Exited;
  step(EngineHinted{model::ContainerTouched{first}});
  pass(10s);
  auto const now = running();
  ASSERT_THAT(now, testing::SizeIs(1));
  EXPECT_NE(now[0], late);
  EXPECT_FALSE(containers_.contains(late));
  EXPECT_EQ(last_report().ports.at(0).published, bound_port(now[0]));
}

TEST_F(LateContainerTest, of_the_next_attempt_that_is_to_go_is_not_taken_up) {
  tell(offer_with_port({77}, 1));
  auto const first = running().at(0);
  auto const late = make_container(offer_with_port({77}, 1), PortRange().first, 2);
  fails_removals_ = true;
  pass(31s);
  containers_.at(first).state = model::ContainerState::Exited;
  step(EngineHinted{model::ContainerTouched{first}});
  pass(100ms);
  ASSERT_THAT(running(), testing::SizeIs(1));
  auto const next = running()[0];
  EXPECT_NE(next, late);
  fails_removals_ = false;
  pass(60s);
  EXPECT_THAT(running(), testing::ElementsAre(next));
  EXPECT_FALSE(containers_.contains(late));
}

TEST_F(LateContainerTest, that_is_gone_when_it_is_looked_for_is_no_failure) {
  is_name_taken_ = true;
  tell(offer_with_port({77}, 1));
  EXPECT_THAT(running(), testing::SizeIs(1));
  EXPECT_EQ(last_report().failures, 0u);
}

TEST_F(LateContainerTest, gives_way_to_one_that_somebody_has_paused) {
  auto const first = make_container(offer_with_port({77}, 1), PortRange().first, 1);
  auto const late = make_container(offer_with_port({77}, 1), PortRange().first, 2);
  containers_.at(first).state = model::ContainerState::Paused;
  start_agent();
  pass(1s);
  EXPECT_TRUE(containers_.contains(first));
  EXPECT_FALSE(containers_.contains(late));
  auto const report = last_report();
  EXPECT_EQ(report.state, model::InstanceState::Running);
  EXPECT_FALSE(report.ready);
}

}  // namespace
}  // namespace davit::agent
