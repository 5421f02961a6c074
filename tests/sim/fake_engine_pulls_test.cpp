// Pulls, images and the disk.
#include "sim/fake_engine_harness.hpp"

namespace davit::sim {
namespace {

using testing::IsEmpty;
namespace error = model::engine_error;
using Fate = FakeDocker::Fate;

TEST_F(FakeEngineTest, tells_the_progress_of_a_slow_pull) {
  watch();
  auto const before = loop_.now().monotonic;
  auto const pulled = finish(model::PullImage{"slow"});
  ASSERT_TRUE(pulled->replies.at(0));
  EXPECT_GE(pulled->at - before, 5s);
  ASSERT_EQ(count<model::PullProgress>(), 19) << "four times a second";
  auto const last = std::get<model::PullProgress>(hints_.back());
  EXPECT_EQ(last.reference, "slow");
  EXPECT_EQ(last.done_bytes, last.total_bytes / 100 * 95);
  EXPECT_TRUE(finish(model::InspectImage{"slow"})->replies.at(0));
}

TEST_F(FakeEngineTest, gives_up_a_pull_at_its_deadline) {
  auto const pulled = finish(model::PullImage{"slow"}, 2s);
  EXPECT_EQ(pulled->error().code, Code::Deadline);
  EXPECT_EQ(pulled->error().field, error::kRegistry);
  loop_.advance(1min);
  EXPECT_FALSE(finish(model::InspectImage{"slow"})->replies.at(0));
}

TEST_F(FakeEngineTest, keeps_what_was_pulled_by_its_name_and_its_digest) {
  docker_.remove_image("known:1");
  EXPECT_FALSE(finish(model::InspectImage{"known:1"})->replies.at(0));
  EXPECT_FALSE(finish(model::InspectImage{"known@sha256:abc"})->replies.at(0));
  EXPECT_TRUE(finish(model::PullImage{"known:1"})->replies.at(0));
  EXPECT_TRUE(finish(model::InspectImage{"known@sha256:abc"})->replies.at(0));
}

TEST_F(FakeEngineTest, has_no_space_on_a_full_disk) {
  docker_.set_disk_full(true);
  EXPECT_EQ(finish(container("a", "ok"))->error().code, Code::Full);
  EXPECT_EQ(finish(model::PullImage{"slow"})->error().code, Code::Full);
  docker_.set_disk_full(false);
  EXPECT_TRUE(finish(container("a", "ok"))->replies.at(0));
}

TEST_F(FakeEngineTest, comes_back_with_an_empty_disk) {
  finish(model::PullImage{"slow"});
  run("a");
  docker_.crash(Fate::Die);
  docker_.wipe_disk();
  docker_.start();
  EXPECT_THAT(docker_.containers(), IsEmpty());
  EXPECT_FALSE(finish(model::InspectImage{"slow"})->replies.at(0));
}

}  // namespace
}  // namespace davit::sim
