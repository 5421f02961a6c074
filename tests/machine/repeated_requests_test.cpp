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

}  // namespace
}  // namespace davit::sim
