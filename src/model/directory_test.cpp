#include "model/directory.hpp"

#include <gtest/gtest.h>

namespace davit::model {
namespace {

Endpoint endpoint(std::uint32_t slot, std::uint64_t instance, std::uint16_t port, std::uint16_t target = 80) {
  return {.instance = {instance}, .slot = slot, .node = "n1", .address = "10.0.0.1", .port = port, .target = target, .name = {}};
}

ServiceEntry entry(std::vector<Endpoint> endpoints, std::vector<IngressPort> ingress = {}) {
  return {std::move(endpoints), std::move(ingress)};
}

// What the difference leads to, from the one to the other.
ServiceEntry carried_over(ServiceEntry const& before, ServiceEntry const& after) {
  Directory directory;
  directory.services["web"] = std::make_shared<ServiceEntry const>(before);
  if (auto const change = difference("web", &before, after)) apply(directory, *change);
  return *directory.services.at("web");
}

TEST(Directory, tells_only_the_instances_that_have_changed) {
  auto const before = entry({endpoint(1, 11, 20000), endpoint(2, 12, 20001), endpoint(2, 12, 20002, 81), endpoint(3, 13, 20003)});
  auto const after = entry({endpoint(1, 11, 20000), endpoint(2, 12, 20001), endpoint(2, 22, 20009), endpoint(4, 14, 20004)});
  auto const change = difference("web", &before, after);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->instances.size(), 4);  // 12 has one endpoint less, 22 and 14 are new, 13 is gone
  EXPECT_FALSE(change->ingress);
  EXPECT_EQ(carried_over(before, after), after);
  EXPECT_EQ(carried_over(after, before), before);
  EXPECT_EQ(carried_over(before, entry({})), entry({}));
  EXPECT_EQ(carried_over(entry({}), after), after);
}

TEST(Directory, has_nothing_to_tell_of_what_is_the_same) {
  auto const same = entry({endpoint(1, 11, 20000)}, {{.published = 80, .target = 80}});
  EXPECT_FALSE(difference("web", &same, same));
  auto const without_ports = entry({});
  EXPECT_TRUE(difference("web", nullptr, without_ports)) << "that it is there is news";
  EXPECT_EQ(carried_over(same, entry({endpoint(1, 11, 20000)})), entry({endpoint(1, 11, 20000)}));
}

TEST(Directory, leaves_alone_what_was_handed_out) {
  Directory directory;
  apply(directory, ServiceChange{.name = "web", .instances = {{{11}, {endpoint(1, 11, 20000)}}}, .ingress = {}});
  auto const shown = directory.services.at("web");
  apply(directory, ServiceChange{.name = "web", .instances = {{{11}, {}}}, .ingress = {}});
  EXPECT_EQ(shown->endpoints.size(), 1);
  EXPECT_TRUE(directory.services.at("web")->endpoints.empty());
  apply(directory, ServiceChange{.name = "web", .is_gone = true, .instances = {}, .ingress = {}});
  EXPECT_TRUE(directory.services.empty());
}

TEST(Directory, knows_nodes_by_name) {
  Directory directory;
  for (auto const& change : difference(directory.nodes, {{"n1", "10.0.0.1"}, {"n2", "10.0.0.2"}})) apply(directory, change);
  EXPECT_EQ(directory.nodes.at("n2"), "10.0.0.2");
  auto const now = decltype(directory.nodes){{"n1", "10.0.0.9"}};
  for (auto const& change : difference(directory.nodes, now)) apply(directory, change);
  EXPECT_EQ(directory.nodes, now);
}

}  // namespace
}  // namespace davit::model
