// Ports that others hold, and ports with names.
#include "machine/faults_harness.hpp"

namespace davit::sim {
namespace {

using service::State;

TEST_F(FaultsTest, knows_the_names_of_ports_after_a_restart) {
  auto spec = with_port(spec_of("ok", 1));
  spec.ports[0].name = "http";
  ASSERT_TRUE(world_.create("web", spec));
  ASSERT_TRUE(world_.settle(30s));
  ASSERT_EQ(instance("web").detail->ports.at(0).name, "http");
  world_.kill_process();
  world_.start_process();
  ASSERT_TRUE(world_.settle(30s));
  EXPECT_EQ(instance("web").detail->ports.at(0).name, "http");
}

TEST_F(FaultsTest, picks_another_port_beside_a_fixed_one_when_a_stranger_holds_it) {
  world_.docker.add_foreign("stranger", {}, {20000});
  ASSERT_TRUE(world_.create("web", with_port(with_port(spec_of("ok", 1), 8080))));
  EXPECT_TRUE(until([&] { return world_.status("web").ready == 1; }, 5min)) << world_.status("web").message;
}

TEST_F(FaultsTest, gets_past_any_number_of_ports_that_strangers_hold) {
  std::vector<std::uint16_t> ports;
  for (std::uint16_t port = 20000; port < 20030; ++port) ports.push_back(port);
  world_.docker.add_foreign("strangers", {}, ports);
  ASSERT_TRUE(world_.create("web", with_port(spec_of("ok", 1))));
  EXPECT_TRUE(until([&] { return world_.status("web").ready == 1; }, 10min)) << world_.status("web").message;
}

TEST_F(FaultsTest, says_once_that_a_fixed_port_is_taken) {
  ASSERT_TRUE(world_.create("web", with_port(spec_of("ok", 2), 8080)));
  ASSERT_TRUE(until([&] { return world_.status("web").ready == 1 && world_.status("web").state == State::Degraded; }));
  auto const before = world_.transitions().size();
  world_.loop.advance(10min);
  EXPECT_LT(world_.transitions().size() - before, 50U) << "events for nothing new";
}

}  // namespace
}  // namespace davit::sim
