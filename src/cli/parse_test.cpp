#include "cli/parse.hpp"

#include <gtest/gtest.h>

#include "cli/cli.hpp"
#include "cli/help.hpp"

namespace davit::cli {
namespace {

using Words = std::vector<std::string>;

class ParseTest : public testing::Test {
 protected:
  ParseTest() {
    add_commands(registry_);
    registry_.add({.path = {"up"}, .summary = "Run a node.", .options = {{.name = "data-dir", .value = "DIR", .help = "Where."}}});
  }

  Parsed good(Words const& words) {
    auto parsed = parse(registry_, words);
    EXPECT_TRUE(parsed) << parsed.error().message;
    return parsed ? *std::move(parsed) : Parsed();
  }
  std::string error_of(Words const& words) {
    auto const parsed = parse(registry_, words);
    return parsed ? "no error" : parsed.error().message;
  }

  Registry registry_{"1.2.3"};
};

TEST_F(ParseTest, ReadsOptionsInEveryForm) {
  auto const parsed =
      good({"service", "create", "--name=web", "-p80", "-p", "8080:80", "--publish", "-x", "-td", "--replicas", "3", "nginx"});
  auto const& given = parsed.invocation;
  EXPECT_EQ(given.text("name"), "web");
  EXPECT_EQ(given.all("publish"), (Words{"80", "8080:80", "-x"}));
  EXPECT_TRUE(given.is_on("tty"));
  EXPECT_TRUE(given.is_on("detach"));
  EXPECT_EQ(given.text("instances"), "3");
  EXPECT_FALSE(given.has("user"));
}

TEST_F(ParseTest, LeavesTheContainersCommandAlone) {
  auto const parsed = good({"service", "create", "--name", "web", "busybox", "sh", "-c", "echo --name x", "--", "-d"});
  EXPECT_EQ(parsed.invocation.words(), (Words{"busybox", "sh", "-c", "echo --name x", "--", "-d"}));
  EXPECT_FALSE(parsed.invocation.has("detach"));
}

TEST_F(ParseTest, TakesServerOptionsBeforeTheCommandToo) {
  auto const parsed = good({"-H", "a,b", "-o", "json", "service", "ls", "-q"});
  EXPECT_EQ(parsed.path, (Words{"service", "ls"}));
  EXPECT_EQ(parsed.invocation.text("host"), "a,b");
  EXPECT_EQ(parsed.invocation.text("output"), "json");
  EXPECT_TRUE(parsed.invocation.is_on("quiet"));
}

TEST_F(ParseTest, TakesSwitchesOffAndWordsAfterTwoDashes) {
  EXPECT_EQ(good({"service", "update", "--init=false", "web"}).invocation.text("init"), "false");
  EXPECT_EQ(good({"service", "rm", "--", "-x"}).invocation.words(), Words{"-x"});
}

TEST_F(ParseTest, StopsAtAGroup) {
  auto const parsed = good({"service"});
  EXPECT_EQ(parsed.command, nullptr);
  EXPECT_EQ(parsed.path, Words{"service"});
  EXPECT_EQ(good({}).command, nullptr);
}

TEST_F(ParseTest, HelpsAnywhere) {
  EXPECT_TRUE(good({"--help"}).wants_help);
  EXPECT_TRUE(good({"service", "--help"}).wants_help);
  EXPECT_TRUE(good({"help", "service", "create"}).wants_help);
  EXPECT_TRUE(good({"service", "create", "--help"}).wants_help);  // although IMAGE is missing
  EXPECT_FALSE(good({"service", "create", "nginx", "--help"}).wants_help);
  EXPECT_TRUE(good({"--version"}).wants_version);
}

TEST_F(ParseTest, SaysWhatWasProbablyMeant) {
  struct {
    Words words;
    std::string says;
  } const cases[] = {
      {{"servce"}, "davit: no such command: servce; did you mean service?"},
      {{"service", "craete"}, "davit service: no such command: craete; did you mean create?"},
      {{"service", "create", "--nmae", "web", "x"}, "davit service create: no such option: --nmae; did you mean --name?"},
      {{"service", "rm", "--dteach=true", "web"}, "davit service rm: no such option: --dteach; did you mean --detach?"},
      {{"service", "create", "--name", "web"}, "davit service create: IMAGE is missing; see davit service create --help"},
      {{"service", "rollback", "web", "db"}, "davit service rollback: one word too many: db; see davit service rollback --help"},
      {{"up", "--host", "x"}, "davit up: no such option: --host; see davit up --help"},
      {{"--host", "x"}, "davit: --host and no command; see davit --help"},
  };
  for (auto const& each : cases) EXPECT_EQ(error_of(each.words), each.says);
  EXPECT_NE(error_of({"service", "ls", "--format"}), "no error");
}

TEST_F(ParseTest, EveryCommandTeaches) {
  for (auto const& command : registry_.commands()) {
    if (command.is_hidden || command.path.front() == "up") continue;
    EXPECT_FALSE(command.summary.empty()) << command.path.back();
    EXPECT_FALSE(command.examples.empty()) << command.path.back();
    EXPECT_TRUE(command.run) << command.path.back();
    for (auto const& option : options_of(command)) EXPECT_FALSE(option.help.empty()) << option.name;
    EXPECT_NE(command_help(command).find("Usage: davit " + command.path.front()), std::string::npos);
  }
  EXPECT_NE(overview(registry_).find("  service "), std::string::npos);
  EXPECT_EQ(overview(registry_).find("__complete"), std::string::npos);
  EXPECT_NE(group_help(registry_, {"service"}).find("  create "), std::string::npos);
}

}  // namespace
}  // namespace davit::cli
