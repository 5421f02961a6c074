#include "core/ingress/listeners.hpp"

#include <gmock/gmock.h>

namespace davit::ingress {
namespace {

using model::Protocol;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

model::Endpoint endpoint(std::uint64_t instance, std::string const& node, std::uint16_t port, std::uint16_t target = 80) {
  return {.instance = {instance},
          .slot = static_cast<std::uint32_t>(instance),
          .node = node,
          .address = "10.0.0." + node.substr(1),
          .port = port,
          .target = target};
}

struct ListenersTest : testing::Test {
  void add(std::string const& service, model::ServiceEntry entry) {
    directory.services[service] = std::make_shared<model::ServiceEntry>(std::move(entry));
  }
  std::map<Port, Listener> listeners() const { return listeners_of(directory, "n1"); }

  model::Directory directory;
};

TEST_F(ListenersTest, carry_an_ingress_port_to_the_instances_that_have_its_target) {
  add("web", {.endpoints = {endpoint(1, "n1", 20000), endpoint(1, "n1", 20001, 81), endpoint(2, "n2", 20000)},
              .ingress = {{.published = 8080, .target = 80, .proxy_protocol = true}}});
  add("db", {.endpoints = {endpoint(3, "n1", 20002, 5432)}});
  Backend const local{.instance = {1}, .address = "10.0.0.1", .port = 20000, .is_local = true, .proxy_protocol = true};
  Backend const remote{.instance = {2}, .address = "10.0.0.2", .port = 20000, .proxy_protocol = true};
  EXPECT_THAT(listeners(), ElementsAre(Pair(Port{Protocol::Tcp, 8080}, Listener{.service = "web", .backends = {local, remote}})));
}

TEST_F(ListenersTest, tell_protocols_apart) {
  auto udp = endpoint(1, "n1", 20000);
  udp.protocol = Protocol::Udp;
  add("web",
      {.endpoints = {udp}, .ingress = {{.published = 80, .target = 80}, {.published = 80, .target = 80, .protocol = Protocol::Udp}}});
  auto const all = listeners();
  EXPECT_THAT(all.at({Protocol::Tcp, 80}).backends, IsEmpty());
  EXPECT_EQ(all.at({Protocol::Udp, 80}).backends.size(), 1u);
  EXPECT_EQ(to_string(Port{Protocol::Udp, 80}), "80/udp");
}

TEST_F(ListenersTest, stay_where_nothing_is_ready) {
  add("web", {.ingress = {{.published = 8080, .target = 80}}});
  EXPECT_THAT(listeners(), ElementsAre(Pair(Port{Protocol::Tcp, 8080}, Listener{.service = "web"})));
}

TEST_F(ListenersTest, reach_instances_of_two_revisions_each_at_its_own_target) {
  add("web", {.endpoints = {endpoint(1, "n1", 20000, 80), endpoint(2, "n1", 20001, 8000), endpoint(2, "n1", 20002, 80)},
              .ingress = {{.published = 8080, .target = 8000}, {.published = 8080, .target = 80}}});
  std::map<InstanceId, std::uint16_t> ports;
  auto const all = listeners();
  for (auto const& backend : all.at({Protocol::Tcp, 8080}).backends) ports[backend.instance] = backend.port;
  EXPECT_THAT(ports, ElementsAre(Pair(InstanceId{1}, 20000), Pair(InstanceId{2}, 20001)));
}

TEST_F(ListenersTest, give_a_port_to_one_service) {
  add("b", {.endpoints = {endpoint(2, "n1", 20001)}, .ingress = {{.published = 8080, .target = 80}}});
  add("a", {.endpoints = {endpoint(1, "n1", 20000)}, .ingress = {{.published = 8080, .target = 80}}});
  EXPECT_EQ(listeners().at({Protocol::Tcp, 8080}).service, "a");
  EXPECT_EQ(listeners().at({Protocol::Tcp, 8080}).backends.size(), 1u);
}

TEST_F(ListenersTest, know_the_instance_on_this_node_that_has_the_port) {
  add("old", {.endpoints = {endpoint(4, "n1", 20000), endpoint(5, "n2", 20001)}});
  add("web", {.ingress = {{.published = 20000, .target = 80}, {.published = 20001, .target = 80}}});
  EXPECT_EQ(listeners().at({Protocol::Tcp, 20000}).taken_by, "old.4");
  EXPECT_EQ(listeners().at({Protocol::Tcp, 20001}).taken_by, "");
}

}  // namespace
}  // namespace davit::ingress
