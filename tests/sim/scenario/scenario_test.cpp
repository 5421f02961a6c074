// Every file of tests/sim/scenarios, played and compared with its trace. `davit-sim --scenario FILE --rewrite` writes the trace anew.
#include "sim/scenario/scenario.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace davit::sim {
namespace {

std::vector<std::string> all_scenarios() {
  std::vector<std::string> names;
  for (auto const& entry : std::filesystem::directory_iterator(DAVIT_SCENARIOS)) {
    if (entry.path().extension() == ".txt") names.push_back(entry.path().stem().string());
  }
  std::ranges::sort(names);
  return names;
}

std::string read(std::string const& name) {
  std::ifstream file(std::filesystem::path(DAVIT_SCENARIOS) / (name + ".txt"));
  return {std::istreambuf_iterator<char>(file), {}};
}

class Scenarios : public testing::TestWithParam<std::string> {};

TEST_P(Scenarios, goes_as_its_file_says) {
  auto const script = parse_script(read(GetParam()));
  ASSERT_FALSE(script.lines.empty());
  auto const outcome = play_scenario(script);
  EXPECT_FALSE(outcome.failure) << *outcome.failure;
  EXPECT_EQ(difference_between(script.expected, outcome.trace), "");
}

INSTANTIATE_TEST_SUITE_P(all, Scenarios, testing::ValuesIn(all_scenarios()), [](auto const& info) {
  auto name = info.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

std::string failure_of(std::string_view text) { return play_scenario(parse_script(text)).failure.value_or("none"); }

TEST(Scenario, says_which_line_failed_and_why) {
  EXPECT_EQ(failure_of("cluster masters=1 agents=1\nfly m1\n"), "line 2: fly m1: there is no command 'fly'");
  EXPECT_EQ(failure_of("# nothing\nrun 1s\n"), "line 2: run 1s: the first command is `cluster`");
  EXPECT_EQ(failure_of("cluster masters=1 agents=1\ncreate web image=ok\nexpect web running 2/1\n"),
            "line 3: expect web running 2/1: nothing of it runs");
}

// What expectations guard, broken on purpose: each must notice.
TEST(Scenario, expectations_fail_when_they_should) {
  std::string const begin = "cluster masters=1 agents=2\ncreate web image=ok instances=2\nexpect web running 2/2 within 10s\nmark\n";
  std::string const ends = begin + "container ends web.1\nexpect web running 2/2 within 10s\nrun 2s\n";
  EXPECT_EQ(failure_of(ends + "expect well within 10s\nexpect web starts 1\nexpect web never doubled\nexpect web never below 1\n"), "none");
  EXPECT_NE(failure_of(ends + "expect web untouched\n"), "none");
  EXPECT_NE(failure_of(ends + "expect web starts 0\n"), "none");
  EXPECT_NE(failure_of(ends + "expect web never below 2\n"), "none");
  EXPECT_NE(failure_of(begin + "isolate w1\nexpect w1 is down within 1s\n"), "none");
  EXPECT_NE(failure_of(begin + "engine away w1\nexpect well\n"), "none");
}

TEST(Scenario, doubles_are_seen) {
  std::string const text =
      "cluster masters=1 agents=3\ncreate web image=ok instances=1\nexpect web running 1/1 within 10s\nlet H = home web.1\nisolate H\n"
      "expect H is down within 20s\nrun 10s\n";
  EXPECT_NE(failure_of(text + "expect web never doubled\n"), "none");
  EXPECT_NE(failure_of(text + "expect web doubled at most 1s\n"), "none");
  EXPECT_EQ(failure_of(text + "expect web doubled at most 30s\n"), "none");
}

}  // namespace
}  // namespace davit::sim
