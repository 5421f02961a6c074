// What is taken out of the registry for nodes that are down, on virtual time.
#include "core/registry/sweeper.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace davit::registry {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class SweeperTest : public testing::Test {
 protected:
  void down(std::map<NodeId, std::string> nodes) { step(Sweeper::Down{{9}, std::move(nodes)}); }
  void step(Sweeper::Event const& event) {
    Actions actions;
    sweeper_.step(now_, event, actions);
    for (auto const& action : actions) {
      if (auto const* noted = std::get_if<Noted>(&action)) notes_.push_back(noted->text);
      else if (auto const* call = std::get_if<Call>(&action)) step(CallDone{call->op, answer(call->what)});
    }
  }
  void pass(Duration time) {
    for (auto const end = now_.monotonic + time; sweeper_.wake_at() <= end;) {
      now_.monotonic = std::max(now_.monotonic, sweeper_.wake_at());
      step(Tick{});
    }
  }
  Result<model::RegistryReply> answer(model::RegistryCall const& call) {
    ++calls_;
    if (!is_there_) return fail(Code::Unavailable, "refused");
    if (auto const* erase = std::get_if<model::EraseSpread>(&call)) {
      if (!is_liar_) std::erase_if(all_, [&](auto const& each) { return each.id == erase->id; });
      return model::RegistryDone{};
    }
    EXPECT_EQ(std::get<model::FindSpread>(call), (model::FindSpread{{9}, {5}}));
    return model::SpreadEntries{all_};
  }

  Now now_{.monotonic = Monotonic{} + 100s, .wall = {}};
  Sweeper sweeper_;
  std::vector<model::SpreadEntry> all_{{"h1", "davit-a", false}, {"h1", "davit-b", false}};
  std::vector<std::string> notes_;
  bool is_there_ = true;
  bool is_liar_ = false;
  int calls_ = 0;
};

TEST_F(SweeperTest, erases_the_entries_of_an_agent_that_is_gone) {
  down({{{5}, "n1"}});
  EXPECT_THAT(all_, IsEmpty());
  pass(500ms);
  EXPECT_THAT(notes_, ElementsAre("took 2 entries of n1, which is down, out of Consul"));
  calls_ = 0;
  pass(1h);
  EXPECT_EQ(calls_, 0) << "it is done";
}

TEST_F(SweeperTest, waits_until_the_registry_knows_that_its_agent_is_gone) {
  for (auto& entry : all_) entry.is_agent_alive = true;
  down({{{5}, "n1"}});
  pass(5s);
  EXPECT_THAT(all_, SizeIs(2));
  for (auto& entry : all_) entry.is_agent_alive = false;
  pass(600ms);
  EXPECT_THAT(all_, IsEmpty());
}

TEST_F(SweeperTest, leaves_what_is_back_and_sweeps_anew_what_goes_down_again) {
  for (auto& entry : all_) entry.is_agent_alive = true;
  down({{{5}, "n1"}});
  down({});
  calls_ = 0;
  pass(10s);
  EXPECT_EQ(calls_, 0);
  all_[0].is_agent_alive = false;
  down({{{5}, "n1"}});
  EXPECT_THAT(all_, SizeIs(1));
}

TEST_F(SweeperTest, goes_on_when_the_registry_is_back) {
  is_there_ = false;
  down({{{5}, "n1"}});
  pass(10min);
  EXPECT_LT(calls_, 280) << "rarely, after a while";
  is_there_ = true;
  pass(40s);
  EXPECT_THAT(all_, IsEmpty());
}

TEST_F(SweeperTest, does_not_work_itself_up_over_a_registry_that_shows_what_it_has_erased) {
  is_liar_ = true;
  down({{{5}, "n1"}});
  pass(1min);
  EXPECT_LT(calls_, 400) << "a look and two erasures each half second";
}

TEST(Sweeper, asks_for_two_nodes_at_once_however_many_are_down) {
  Sweeper sweeper;
  Now now{.monotonic = Monotonic{} + 100s, .wall = {}};
  Actions actions;
  sweeper.step(now, Sweeper::Down{{9}, {{{1}, "n1"}, {{2}, "n2"}, {{3}, "n3"}, {{4}, "n4"}}}, actions);
  ASSERT_THAT(actions, SizeIs(2));
  EXPECT_EQ(sweeper.wake_at(), kNever) << "an answer wakes it";
  std::set<NodeId> looked_at;
  for (std::size_t i = 0; i < actions.size() && i < 10; ++i) {
    auto const call = std::get<Call>(actions[i]);
    looked_at.insert(std::get<model::FindSpread>(call.what).node);
    sweeper.step(now, CallDone{call.op, model::RegistryReply(model::SpreadEntries{})}, actions);
  }
  EXPECT_THAT(looked_at, SizeIs(4)) << "each has its turn";
}

TEST_F(SweeperTest, touches_nothing_that_is_not_davits) {
  all_[1].id = "copied";
  down({{{5}, "n1"}});
  EXPECT_THAT(all_, ElementsAre(model::SpreadEntry{"h1", "copied", false}));
}

}  // namespace
}  // namespace davit::registry
