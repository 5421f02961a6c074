// A removal, and an engine that goes away, at every moment of a life.
#include <tuple>

#include "machine/faults_harness.hpp"

namespace davit::sim {
namespace {

using service::State;
using testing::IsEmpty;
using testing::SizeIs;

class RemovedAt : public testing::TestWithParam<std::tuple<char const*, int>> {};
TEST_P(RemovedAt, leaves_nothing) {
  auto const [image, moment] = GetParam();
  World world(static_cast<std::uint64_t>(moment + 1));
  world.start_process();
  ASSERT_TRUE(world.create("web", with_port(spec_of(image, 4))));
  world.loop.advance(std::chrono::milliseconds(moment * 37));
  ASSERT_TRUE(world.remove("web"));
  EXPECT_TRUE(world.loop.run_until([&] { return world.master().find_service("web") == nullptr; }, 2min)) << world.pending();
  EXPECT_TRUE(world.settle(1min)) << world.pending();
  EXPECT_THAT(world.docker.containers(), IsEmpty());
  EXPECT_EQ(world.master().nodes().at(0).instances, 0);
}
INSTANTIATE_TEST_SUITE_P(Moments, RemovedAt,
                         testing::Combine(testing::Values("ok", "crash", "slow", "none", "broken", "sick"), testing::Range(0, 40)));

class EngineAwayAt : public testing::TestWithParam<int> {};
TEST_P(EngineAwayAt, an_update_comes_through) {
  World world(static_cast<std::uint64_t>(GetParam() + 1));
  world.start_process();
  ASSERT_TRUE(world.create("web", spec_of("ok:1", 3)));
  ASSERT_TRUE(world.settle(30s));
  ASSERT_TRUE(world.replace("web", spec_of("slow:2", 3)));
  world.loop.advance(std::chrono::milliseconds(GetParam() * 97));
  world.docker.crash(FakeDocker::Fate::LiveOn);
  world.loop.advance(20s);
  world.docker.start();
  EXPECT_TRUE(world.settle(5min)) << world.pending() << world.status("web").message;
  EXPECT_EQ(world.status("web").state, State::Running);
  EXPECT_THAT(world.docker.running(), SizeIs(3));
}
INSTANTIATE_TEST_SUITE_P(Moments, EngineAwayAt, testing::Range(0, 120));

}  // namespace
}  // namespace davit::sim
