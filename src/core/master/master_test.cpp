// The master's machine alone, fed event by event: what no world around it would show in this order.
#include "core/master/master.hpp"

#include <gmock/gmock.h>

namespace davit::master {
namespace {

using model::AgentHello;
using model::FactsChanged;

constexpr NodeId kNode{7};

struct MasterTest : testing::Test {
  template <class A>
  std::vector<A> step(Event const& event) {
    Actions actions;
    master.step(now, event, actions);
    std::vector<A> wanted;
    for (auto const& action : actions) {
      if (auto const* each = std::get_if<A>(&action)) wanted.push_back(*each);
    }
    return wanted;
  }
  template <class A>
  std::vector<A> tick_after(Duration duration) {
    now.monotonic += duration;
    return step<A>(Tick{});
  }

  static model::NodeFacts facts(bool engine_up) {
    model::NodeFacts facts{.id = kNode, .name = "n7", .roles = {model::Role::Worker}};
    facts.engine_up = engine_up;
    return facts;
  }

  Now now{.monotonic = Monotonic{} + 100s, .wall = {}};
  Master master{{.new_cluster = {1}, .session = "s", .self = {1}, .name = "m1"}};
};

TEST_F(MasterTest, keeps_what_agents_tell_before_the_store_is_read) {
  EXPECT_EQ(step<Load>(Started{}).size(), 1u);
  step<Send>(FromAgent{kNode, AgentHello{facts(false)}});
  step<Send>(FromAgent{kNode, FactsChanged{facts(true)}});
  EXPECT_EQ(step<Follow>(Loaded{StoreBatch{.revision = 5}}).size(), 1u);

  ASSERT_EQ(master.nodes().size(), 1u);
  EXPECT_TRUE(master.nodes().front().is_connected);
  EXPECT_TRUE(master.nodes().front().facts.engine_up);
}

TEST_F(MasterTest, reads_again_when_the_store_lacks_a_spec) {
  step<Load>(Started{});
  model::HeadRecord record;
  record.head.name = "web";
  record.head.revisions[3] = {};
  StoreBatch const batch{.revision = 5, .changes = {{.key = model::head_key("web"), .record = record, .mod_revision = 5}}};

  auto const notes = step<Noted>(Loaded{batch});
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_THAT(notes.front().text, testing::HasSubstr("no spec of revision 3 of service 'web'"));
  EXPECT_EQ(master.phase(), Phase::Loading);
  EXPECT_EQ(tick_after<Load>(1s).size(), 1u);
}

TEST_F(MasterTest, says_why_it_reads_the_store_anew) {
  step<Load>(Started{});
  step<Follow>(Loaded{StoreBatch{.revision = 5}});
  auto const notes = step<Noted>(WatchEnded{"the changes were compacted away"});
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_THAT(notes.front().text, testing::HasSubstr("compacted away"));
}

TEST_F(MasterTest, answers_a_command_that_nobody_decides_after_ten_seconds) {
  step<Load>(Started{});
  step<Follow>(Loaded{StoreBatch{.revision = 5}});
  step<Reply>(CommandArrived{1, {.service = "web", .body = model::Remove{}}});
  for (int i = 0; i < 99; ++i) EXPECT_TRUE(tick_after<Reply>(100ms).empty());

  auto const replies = tick_after<Reply>(100ms);
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies.front().outcome.error().code, Code::Unavailable);
}

}  // namespace
}  // namespace davit::master
