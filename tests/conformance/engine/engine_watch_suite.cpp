// The hints: what the engine says by itself.
#include "conformance/engine/engine_suite.hpp"

namespace davit::conformance {
namespace {

using namespace model::engine_error;
using model::ContainerState;

TEST_P(EngineSuite, WakesUpForWhatHappensToItsContainers) {
  watch();
  ASSERT_TRUE(wait_for_hint<model::EngineUp>());
  auto const id = start("a", {"sh", "-c", "exit 3"});
  ASSERT_TRUE(wait_for_state(id, ContainerState::Exited));
  EXPECT_TRUE(wait([&] { return was_touched(id); }));
  hints_.clear();
  ASSERT_TRUE(order(model::RemoveContainer{id}));
  EXPECT_TRUE(wait([&] { return was_touched(id); }));
}

TEST_P(EngineSuite, TellsWhenTheEngineGoesAndWhenItIsBack) {
  if (!harness_->can_kill_engine()) GTEST_SKIP() << "NOT RUN: this engine may not be killed";
  watch();
  ASSERT_TRUE(wait_for_hint<model::EngineUp>());
  auto const id = create(container("a", {"true"}));
  hints_.clear();
  harness_->kill_engine();
  ASSERT_TRUE(wait_for_hint<model::EngineDown>(10s));
  auto const away = call(model::InspectContainer{id});
  ASSERT_FALSE(away);
  EXPECT_EQ(away.error().code, Code::Unavailable);
  EXPECT_EQ(away.error().field, kEngineAway);
  EXPECT_FALSE(away.error().message.empty());
  hints_.clear();
  harness_->start_engine();
  ASSERT_TRUE(wait_for_hint<model::EngineUp>());
  EXPECT_EQ(inspect(id).state, ContainerState::Created);
}

TEST_P(EngineSuite, TellsThatTheEngineHangs) {
  if (!harness_->can_kill_engine()) GTEST_SKIP() << "NOT RUN: this engine may not be frozen";
  watch();
  ASSERT_TRUE(wait_for_hint<model::EngineUp>());
  harness_->freeze_engine(true);
  bool const is_down = wait_for_hint<model::EngineDown>(15s);
  harness_->freeze_engine(false);
  EXPECT_TRUE(is_down);
  hints_.clear();
  EXPECT_TRUE(wait_for_hint<model::EngineUp>());
}

}  // namespace
}  // namespace davit::conformance
