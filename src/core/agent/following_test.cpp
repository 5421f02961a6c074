// Where the agent has the cluster's directory from.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/agent/agent.hpp"

namespace davit::agent {
namespace {

using model::DirectoryChanged;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct FollowingTest : testing::Test {
  void step(Event const& event) {
    Actions actions;
    agent.step(now, event, actions);
    for (auto const& action : actions) {
      auto const* sent = std::get_if<Send>(&action);
      auto const* follow = sent ? std::get_if<model::FollowDirectory>(&sent->message) : nullptr;
      if (follow) (follow->is_wanted ? asked : left).push_back(sent->master);
      if (auto const* show = std::get_if<ShowDirectory>(&action)) shown.push_back(show->directory);
    }
  }
  void tell(NodeId master, DirectoryChanged message) { step(FromMaster{master, std::move(message)}); }
  // A whole directory with this service.
  void tell_all(NodeId master, std::string const& service) {
    tell(master, {.is_first = true, .is_whole = true, .services = {{.name = service, .instances = {}, .ingress = {}}}, .nodes = {}});
  }
  void second() {
    now.monotonic += 1s;
    step(LoadMeasured{});
  }
  std::vector<NodeId> take_asked() { return std::exchange(asked, {}); }
  bool knows(std::string const& service) const { return agent.directory() && agent.directory()->services.contains(service); }

  Now now{.monotonic = Monotonic{} + 1000s, .wall = {}};
  Agent agent{Options{}, model::AgentState{.node = {7}}};
  std::vector<NodeId> asked;
  std::vector<NodeId> left;
  std::vector<std::shared_ptr<model::Directory const>> shown;
};

TEST_F(FollowingTest, asks_one_master_alone) {
  for (std::uint64_t id : {1, 2, 3}) step(MasterJoined{{id}});
  ASSERT_THAT(asked, ElementsAre(NodeId{1}));
  tell({.value = 2}, {.is_first = true, .is_whole = true, .services = {}, .nodes = {}});
  EXPECT_THAT(shown, IsEmpty()) << "nobody asked that one";
  tell_all({1}, "web");
  EXPECT_TRUE(knows("web"));
}

TEST_F(FollowingTest, shows_it_once_it_is_whole) {
  step(MasterJoined{{1}});
  tell({1}, {.is_first = true, .services = {{.name = "a", .instances = {}, .ingress = {}}}, .nodes = {}});
  tell({1}, {.services = {{.name = "b", .instances = {}, .ingress = {}}}, .nodes = {}});
  EXPECT_EQ(agent.directory(), nullptr);
  tell({1}, {.is_whole = true, .services = {{.name = "c", .instances = {}, .ingress = {}}}, .nodes = {{"n1", "10.0.0.1"}}});
  ASSERT_THAT(shown, SizeIs(1));
  EXPECT_THAT(shown[0]->services, SizeIs(3));
  tell({1}, {.is_whole = true, .services = {{.name = "b", .is_gone = true, .instances = {}, .ingress = {}}}, .nodes = {}});
  EXPECT_FALSE(knows("b"));
  EXPECT_THAT(shown[0]->services, SizeIs(3)) << "what was handed out is not changed";
}

TEST_F(FollowingTest, goes_to_another_master_when_one_leaves_and_keeps_what_is_known_meanwhile) {
  step(MasterJoined{{1}});
  step(MasterJoined{{2}});
  tell_all({1}, "web");
  take_asked();
  step(MasterLeft{{1}});
  EXPECT_THAT(take_asked(), ElementsAre(NodeId{2}));
  EXPECT_TRUE(knows("web"));
  step(MasterLeft{{2}});
  second();
  EXPECT_TRUE(knows("web")) << "no master lives, and the node answers on";
  step(MasterJoined{{2}});
  EXPECT_THAT(take_asked(), ElementsAre(NodeId{2}));
  tell_all({2}, "db");
  EXPECT_FALSE(knows("web"));
  EXPECT_TRUE(knows("db"));
}

TEST_F(FollowingTest, asks_each_master_once_a_second_while_none_knows) {
  step(MasterJoined{{1}});
  step(MasterJoined{{2}});
  take_asked();
  tell({1}, {.is_over = true, .services = {}, .nodes = {}});
  auto const second_one = take_asked();
  ASSERT_THAT(second_one, ElementsAre(NodeId{2}));
  tell({2}, {.is_over = true, .services = {}, .nodes = {}});
  for (int i = 0; i < 20; ++i) {
    for (auto const id : take_asked()) tell(id, {.is_over = true, .services = {}, .nodes = {}});
  }
  EXPECT_THAT(asked, IsEmpty());
  second();
  EXPECT_THAT(asked, SizeIs(1));
}

TEST_F(FollowingTest, leaves_a_master_that_is_silent_for_another_one) {
  step(MasterJoined{{1}});
  tell_all({1}, "web");
  for (int i = 0; i < 5; ++i) second();
  EXPECT_THAT(left, IsEmpty()) << "there is no other one";
  take_asked();
  step(MasterJoined{{2}});
  EXPECT_THAT(left, ElementsAre(NodeId{1}));
  EXPECT_THAT(take_asked(), ElementsAre(NodeId{2}));
  EXPECT_TRUE(knows("web"));
  for (int i = 0; i < 5; ++i) {
    second();
    step(FromMaster{{2}, model::BeatBack{.grant = {}}});
  }
  EXPECT_THAT(left, SizeIs(1)) << "that one is heard";
}

}  // namespace
}  // namespace davit::agent
