// Which masters the agent wants to be connected to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/agent/agent.hpp"

namespace davit::agent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct MastersTest : testing::Test {
  std::vector<std::string> wanted_after(Epoch as_of, std::vector<std::string> const& addresses) {
    model::Welcome welcome{.cluster = {9}, .incarnation = 1, .masters = {}, .as_of = as_of};
    for (auto const& address : addresses) welcome.masters.push_back({{welcome.masters.size() + 1}, address});
    Actions actions;
    agent.step({}, FromMaster{{1}, std::move(welcome)}, actions);
    std::vector<std::string> wanted;
    for (auto const& action : actions) {
      auto const* keep = std::get_if<KeepConnected>(&action);
      if (!keep) continue;
      for (auto const& master : keep->masters) wanted.push_back(master.address);
    }
    return wanted;
  }

  Agent agent{Options{}, model::AgentState{.node = {7}}};
};

TEST_F(MastersTest, are_those_of_the_newest_view) {
  EXPECT_THAT(wanted_after({1, 50}, {"a", "b"}), ElementsAre("a", "b"));
  EXPECT_THAT(wanted_after({1, 49}, {"a"}), IsEmpty());
  EXPECT_THAT(wanted_after({1, 60}, {"a", "b"}), IsEmpty()) << "the same as before";
  EXPECT_THAT(wanted_after({1, 60}, {"b", "c"}), ElementsAre("b", "c"));
}

TEST_F(MastersTest, are_not_obeyed_if_they_are_of_another_cluster) {
  auto const saved_after = [this](NodeId master) {
    Actions actions;
    agent.step({}, FromMaster{master, model::FenceShards{.round = 1, .fences = {{{3}, {9, 9}}}, .asker = master}}, actions);
    return std::ranges::any_of(actions, [](auto const& action) { return std::holds_alternative<SaveState>(action); });
  };
  EXPECT_THAT(wanted_after({1, 50}, {"a"}), ElementsAre("a"));
  Actions actions;
  agent.step({}, StateSaved{{}}, actions);
  agent.step({}, FromMaster{{2}, model::Welcome{.cluster = {10}, .incarnation = 1, .masters = {}, .as_of = {1, 60}}}, actions);
  EXPECT_FALSE(saved_after({2}));
  EXPECT_TRUE(saved_after({1}));
}

// The store was restored from a copy: its revisions begin low.
TEST_F(MastersTest, are_those_of_a_new_era_at_any_revision) {
  EXPECT_THAT(wanted_after({1, 50}, {"a"}), ElementsAre("a"));
  EXPECT_THAT(wanted_after({2, 3}, {"b"}), ElementsAre("b"));
}

TEST_F(MastersTest, stay_when_a_master_that_has_read_nothing_yet_tells_none) {
  EXPECT_THAT(wanted_after({1, 50}, {"a"}), ElementsAre("a"));
  EXPECT_THAT(wanted_after({1, 51}, {}), IsEmpty());
}

}  // namespace
}  // namespace davit::agent
