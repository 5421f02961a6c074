// Logs, to their end and followed.
#include <algorithm>

#include "conformance/engine/engine_suite.hpp"

namespace davit::conformance {
namespace {

using namespace model::engine_error;
using model::ContainerState;
using ports::LogStream;

TEST_P(EngineLogSuite, ReadBothStreamsOfWhatHasEnded) {
  auto const before = harness_->now().wall;
  auto const id = run("a", "echo out; echo err >&2; printf 'no newline'");
  auto const all = read_all({.container = id});
  ASSERT_EQ(all->lines.size(), 3U);
  auto const stderr_line =
      std::find_if(all->lines.begin(), all->lines.end(), [](auto const& line) { return line.stream == LogStream::Stderr; });
  ASSERT_NE(stderr_line, all->lines.end());
  EXPECT_EQ(stderr_line->text, "err");
  for (auto const& line : all->lines) EXPECT_GE(line.time, before);
  EXPECT_EQ(read_all({.container = id, .with_stderr = false})->texts(), (Texts{"out", "no newline"}));
  EXPECT_EQ(read_all({.container = id, .tail = 1, .with_stderr = false})->texts(), Texts{"no newline"});
  EXPECT_EQ(read_all({.container = id, .since = harness_->now().wall + 1h})->texts(), Texts{});
  EXPECT_EQ(read_all({.container = id, .since = before})->lines.size(), 3U);
}

TEST_P(EngineLogSuite, JoinWhatTheEngineCuts) {
  auto const id = run("a", "head -c 40000 /dev/zero | tr '\\0' x; echo end; echo next");
  auto const all = read_all({.container = id});
  ASSERT_EQ(all->lines.size(), 2U);
  EXPECT_EQ(all->lines[0].text, std::string(40000, 'x') + "end");
  EXPECT_EQ(all->lines[1].text, "next");
}

TEST_P(EngineLogSuite, OfATtyComeWithoutCarriageReturns) {
  auto wanted = container("a", {"sh", "-c", "echo one; echo two >&2"});
  edit(wanted, [](auto& spec) { spec.tty = true; });
  auto const id = create(wanted);
  ASSERT_TRUE(order(model::StartContainer{id}));
  ASSERT_TRUE(wait_for_state(id, ContainerState::Exited));
  EXPECT_EQ(read_all({.container = id})->texts(), (Texts{"one", "two"}));
}

TEST_P(EngineLogSuite, AreFollowedToTheContainersEnd) {
  auto const id = start("a", {"sh", "-c", "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.1; done"});
  auto const reading = read({.container = id, .follow = true});
  ASSERT_TRUE(wait([&] { return reading->texts() == Texts{"ready"}; }));
  EXPECT_FALSE(reading->end);
  ASSERT_TRUE(order(model::StopContainer{id, 20s}));
  ASSERT_TRUE(wait([&] { return reading->end.has_value(); }));
  EXPECT_TRUE(*reading->end);
  EXPECT_EQ(reading->texts(), (Texts{"ready", "bye"}));
}

TEST_P(EngineLogSuite, ComeNotWhilePaused) {
  auto const id = run("a", "seq 1 2000");
  auto const reading = read({.container = id});
  reading->reader->pause();
  EXPECT_FALSE(wait([&] { return !reading->lines.empty() || reading->end; }, 300ms));
  reading->reader->resume();
  ASSERT_TRUE(wait([&] { return reading->lines.size() > 0; }));
  ASSERT_TRUE(wait([&] { return reading->end.has_value(); }));
  ASSERT_EQ(reading->lines.size(), 2000U);
  EXPECT_EQ(reading->lines.back().text, "2000");
}

TEST_P(EngineLogSuite, MayBeAbandonedWithinALine) {
  auto const id = start("a", {"sh", "-c", "while :; do echo again; done"});
  int lines = 0;
  std::unique_ptr<ports::LogReader> reader;
  reader = engine().read_logs(
      {.container = id, .follow = true},
      [&](ports::LogLine const&) {
        ++lines;
        reader.reset();
      },
      [](Status const&) { ADD_FAILURE() << "on_end was run for nobody"; });
  ASSERT_TRUE(wait([&] { return lines > 0; }));
  EXPECT_FALSE(wait([&] { return lines > 1; }, 200ms));
}

TEST_P(EngineLogSuite, OfWhatIsNotThereEndWithAnError) {
  auto const reading = read({.container = "davit-suite-nosuch"});
  ASSERT_TRUE(wait([&] { return reading->end.has_value(); }));
  ASSERT_FALSE(*reading->end);
  EXPECT_EQ(reading->end->error().field, kNoSuchContainer);
}

}  // namespace
}  // namespace davit::conformance
