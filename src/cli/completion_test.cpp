#include "cli/completion.hpp"

#include <gtest/gtest.h>

#include "cli/cli.hpp"
#include "cli/filter.hpp"
#include "cli/log_target.hpp"

namespace davit::cli {
namespace {

using Words = std::vector<std::string>;

Words complete(Words const& words) {
  Registry registry("1");
  add_commands(registry);
  return completions(registry, words, [](std::string_view kind) { return kind == "NODE" ? Words{"n1"} : Words{"web", "worker", "db"}; });
}

TEST(Completion, OffersCommandsOptionsValuesAndNames) {
  EXPECT_EQ(complete({"ser"}), Words{"service"});
  EXPECT_EQ(complete({"service", "r"}), (Words{"restart", "rollback", "resume", "rm"}));
  EXPECT_EQ(complete({"--host", "x", "node", ""}), (Words{"ls", "inspect", "update", "drain", "activate", "mark-down", "rm"}));
  EXPECT_EQ(complete({"service", "create", "--repl"}), (Words{"--replicas", "--replicas-max-per-node"}));
  EXPECT_EQ(complete({"service", "create", "--pull", ""}), (Words{"missing", "always", "never"}));
  EXPECT_EQ(complete({"service", "logs", "-o", "j"}), Words{"json"});
  EXPECT_EQ(complete({"service", "ps", "-q", "w"}), (Words{"web", "worker"}));
  EXPECT_EQ(complete({"node", "inspect", ""}), Words{"n1"});
  EXPECT_EQ(complete({"service", "create", "nginx", "-"}), Words{});  // the container's command
  EXPECT_EQ(complete({"__"}), Words{});
}

TEST(Completion, HasScriptsForTwoShells) {
  EXPECT_NE(completion_script("bash").find("complete -o default -F _davit davit"), std::string_view::npos);
  EXPECT_NE(completion_script("zsh").find("#compdef davit"), std::string_view::npos);
  EXPECT_EQ(completion_script("fish"), "");
}

TEST(Filter, TakesSeveralValuesOfAKeyAsAlternatives) {
  auto const filters = parse_filters({"state=running", "state=degraded", "name=web"}, {"name", "state"});
  ASSERT_TRUE(filters);
  EXPECT_TRUE(fits(*filters, "state", "degraded"));
  EXPECT_FALSE(fits(*filters, "state", "paused"));
  EXPECT_FALSE(fits(*filters, "name", "db"));
  EXPECT_TRUE(fits(*filters, "image", "whatever"));
  EXPECT_FALSE(parse_filters({"stat=running"}, {"name", "state"}));
  EXPECT_FALSE(parse_filters({"state"}, {"name", "state"}));
}

TEST(Filter, TakesLabelsWithAndWithoutValue) {
  EXPECT_TRUE(fits_label("app", "app", "shop"));
  EXPECT_TRUE(fits_label("app=shop", "app", "shop"));
  EXPECT_FALSE(fits_label("app=shop", "app", "bank"));
  EXPECT_FALSE(fits_label("", "", ""));
}

TEST(LogTarget, TellsASlotFromAService) {
  Invocation all;
  all.add_word("web");
  EXPECT_EQ(log_target(all).path, "/services/web/logs");
  Invocation one;
  one.add_word("web.2");
  one.add("follow", "true");
  one.add("tail", "10");
  EXPECT_EQ(log_target(one).service, "web");
  EXPECT_EQ(log_target(one).path, "/services/web/logs?slot=2&follow=true&tail=10");
  Invocation before;
  before.add_word("web");
  before.add("previous", "true");
  EXPECT_EQ(log_target(before).path, "/services/web/logs?previous=true");
}

}  // namespace
}  // namespace davit::cli
