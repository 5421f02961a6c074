#include "adapters/engine_docker/log_frames.hpp"

#include <gtest/gtest.h>

namespace davit::engine_docker {
namespace {

using ports::LogLine;
using ports::LogStream;

constexpr char kStdout = 1;
constexpr char kStderr = 2;
std::string const kTime = "2026-01-02T03:04:05.678901234Z ";
Wall const kWall = *parse_rfc3339("2026-01-02T03:04:05.678Z");

std::string frame(char stream, std::string const& payload) {
  auto const size = payload.size();
  std::string out{stream, 0, 0, 0};
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(size >> shift & 0xFF);
  return out + payload;
}

std::vector<LogLine> split(std::string const& bytes, bool tty, std::size_t step) {
  LogSplitter splitter(tty);
  std::vector<LogLine> out;
  for (std::size_t i = 0; i < bytes.size(); i += step) EXPECT_TRUE(splitter.push(std::string_view(bytes).substr(i, step), out));
  splitter.finish(out);
  return out;
}

void expect_line(LogLine const& line, LogStream stream, std::string_view text) {
  EXPECT_EQ(line.stream, stream);
  EXPECT_EQ(line.text, text);
  EXPECT_EQ(line.time, kWall);
}

TEST(LogFrames, SplitsStreamsAtWhateverPlaceTheBytesAreCut) {
  auto const bytes =
      frame(kStdout, kTime + "out\n") + frame(kStderr, kTime + "err one\n") + frame(kStdout, kTime + "\n") + frame(kStdout, kTime + "last");
  for (std::size_t step : {1UL, 2UL, 7UL, 11UL, 1000UL}) {
    auto const lines = split(bytes, false, step);
    ASSERT_EQ(lines.size(), 4U) << step;
    expect_line(lines[0], LogStream::Stdout, "out");
    expect_line(lines[1], LogStream::Stderr, "err one");
    expect_line(lines[2], LogStream::Stdout, "");
    expect_line(lines[3], LogStream::Stdout, "last");
  }
}

TEST(LogFrames, JoinsALineThatTheEngineHasCutWhileTheOtherStreamTalks) {
  std::string const later = "2026-01-02T03:04:06.000000000Z ";
  auto const lines = split(frame(kStdout, kTime + "one ") + frame(kStderr, kTime + "err\n") + frame(kStdout, later + "two\n"), false, 5);
  ASSERT_EQ(lines.size(), 2U);
  expect_line(lines[0], LogStream::Stderr, "err");
  expect_line(lines[1], LogStream::Stdout, "one two");
}

TEST(LogFrames, KeepsBytesThatAreNoUtf8) {
  std::string const text("a\xff\xfe\0b", 5);
  auto const lines = split(frame(kStdout, kTime + text + "\n"), false, 3);
  ASSERT_EQ(lines.size(), 1U);
  expect_line(lines[0], LogStream::Stdout, text);
}

TEST(LogFrames, GivesOutAnEndlessLineInPieces) {
  std::string bytes;
  for (int i = 0; i < 10; ++i) bytes += frame(kStdout, kTime + std::string(16 * 1024, 'x'));
  auto const lines = split(bytes + frame(kStdout, kTime + "end\n"), false, 4096);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0].text.size(), LogSplitter::kLineLimit);
  EXPECT_EQ(lines[1].text.size(), LogSplitter::kLineLimit);
  EXPECT_EQ(lines[2].text.size(), 32 * 1024 + 3U);
  for (auto const& line : lines) EXPECT_EQ(line.time, kWall);
}

TEST(LogFrames, ReadsATtysStreamAsItComes) {
  for (std::size_t step : {1UL, 9UL, 1000UL}) {
    auto const lines = split(kTime + "one\r\n" + kTime + "two two\r\n" + kTime + "rest", true, step);
    ASSERT_EQ(lines.size(), 3U);
    expect_line(lines[0], LogStream::Stdout, "one");
    expect_line(lines[1], LogStream::Stdout, "two two");
    expect_line(lines[2], LogStream::Stdout, "rest");
  }
}

TEST(LogFrames, KeepsTextWhereATimeShouldBe) {
  auto const lines = split(frame(kStdout, "no time here\n"), false, 100);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].text, "no time here");
}

TEST(LogFrames, RefusesWhatIsNoLogStream) {
  LogSplitter splitter(false);
  std::vector<LogLine> out;
  EXPECT_FALSE(splitter.push("<html><body>", out));
}

}  // namespace
}  // namespace davit::engine_docker
