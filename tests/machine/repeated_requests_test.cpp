// Requests that are repeated after what they asked for was undone.
#include "machine/faults_harness.hpp"

namespace davit::sim {
namespace {

TEST_F(FaultsTest, does_not_create_again_what_was_removed_since) {
  service::CommandBody const create = service::Create{shared(spec_of("ok", 0))};
  ASSERT_TRUE(command("c1", create));
  ASSERT_TRUE(command("r1", service::Remove{}));
  ASSERT_TRUE(until([&] { return world_.master().find_service("web") == nullptr; }));
  auto const late = command("c1", create);  // a retry that was under way for long
  EXPECT_TRUE(late && late->replayed);
  EXPECT_EQ(world_.master().find_service("web"), nullptr);
}

TEST_F(FaultsTest, does_not_remove_again_what_was_created_since) {
  service::CommandBody const create = service::Create{shared(spec_of("ok", 0))};
  ASSERT_TRUE(command("c1", create));
  ASSERT_TRUE(command("r1", service::Remove{}));
  ASSERT_TRUE(until([&] { return world_.master().find_service("web") == nullptr; }));
  ASSERT_TRUE(command("c2", create));
  auto const late = command("r1", service::Remove{});
  EXPECT_TRUE(late && late->replayed);
  world_.loop.advance(1s);
  EXPECT_NE(world_.master().find_service("web"), nullptr);
}

// A try of a write whose outcome was unknown may reach the store when the master has long had its answer from a later one.
TEST_F(FaultsTest, no_write_that_comes_late_touches_what_was_made_since) {
  std::vector<ports::Commit> sent;
  world_.on_sent = [&](ports::Commit const& commit) {
    bool const is_of_a_journal =
        std::ranges::any_of(commit.compares, [](auto const& compare) { return compare.key == model::head_key("web"); });
    if (is_of_a_journal) sent.push_back(commit);
  };
  auto const late_ones_that_apply = [&] {
    return std::ranges::count_if(sent, [&](ports::Commit const& commit) {
      auto const done = world_.data()->commit(commit);
      return done && done->succeeded;
    });
  };
  for (std::string const round : {"1", "2", "3"}) {
    ASSERT_TRUE(command("create" + round, service::Create{shared(spec_of("ok", 0))}));
    EXPECT_EQ(late_ones_that_apply(), 0) << "made, round " << round;
    ASSERT_TRUE(command("scale" + round, service::Replace{shared(spec_of("ok", 1))}));
    EXPECT_EQ(late_ones_that_apply(), 0) << "scaled, round " << round;
    ASSERT_TRUE(command("remove" + round, service::Remove{}));
    ASSERT_TRUE(until([&] { return world_.master().find_service("web") == nullptr; }));
    EXPECT_EQ(late_ones_that_apply(), 0) << "removed, round " << round;
  }
  EXPECT_GE(sent.size(), 12U);
}

}  // namespace
}  // namespace davit::sim
