#include "cli/progress.hpp"

#include <gtest/gtest.h>

#include <fmt/core.h>

#include "cli/screen.hpp"
#include "codec/json.hpp"

namespace davit::cli {
namespace {

codec::Value json(std::string_view text) {
  auto value = codec::parse_json(text);
  EXPECT_TRUE(value) << value.error().message;
  return value ? *std::move(value) : codec::Value();
}

Wall const kNow = *parse_rfc3339("2026-01-01T00:00:10Z");

Look look(Goal const& goal, std::string_view text) { return look_at(goal, json(text), kNow); }

TEST(Progress, JudgesByGenerationRevisionAndState) {
  struct {
    std::string name;
    std::string service;
    Verdict verdict;
    std::string message;
  } const cases[] = {
      {"converging", R"({"generation":2,"revision":2,"status":{"state":"converging","desired":3,"running":1,"ready":1}})", Verdict::Going,
       ""},
      {"old view", R"({"generation":1,"revision":1,"status":{"state":"running","desired":3,"running":3,"ready":3}})", Verdict::Going, ""},
      {"converged", R"({"generation":2,"revision":2,"status":{"state":"running","desired":3,"running":3,"ready":3}})", Verdict::Converged,
       ""},
      {"changed again", R"({"generation":5,"revision":3,"status":{"state":"running","desired":3,"running":3,"ready":3}})", Verdict::Failed,
       "overtaken by another update, to revision 3"},
      {"scaled again", R"({"generation":5,"revision":2,"status":{"state":"running","desired":3,"running":3,"ready":3}})",
       Verdict::Converged, ""},
      {"surplus", R"({"generation":2,"revision":2,"status":{"state":"running","desired":1,"running":3,"ready":3}})", Verdict::Going, ""},
      {"updating", R"({"generation":2,"revision":2,"status":{"state":"updating","desired":3,"running":3,"ready":3}})", Verdict::Going, ""},
      {"degraded", R"({"generation":2,"revision":2,"status":{"state":"degraded","desired":3,"message":"web.1: unhealthy"}})",
       Verdict::Going, "web.1: unhealthy"},
      {"paused", R"({"generation":2,"revision":2,"status":{"state":"paused","desired":3,"message":"update stopped"}})", Verdict::Failed,
       "paused: update stopped"},
      {"rolling back", R"({"generation":2,"revision":2,"status":{"state":"rolling_back"}})", Verdict::Going, ""},
      {"being rolled back",
       R"({"generation":3,"revision":1,"status":{"state":"rolling_back","message":"update to revision 2 failed: web.1 failed: exit 3"}})",
       Verdict::Going, "update to revision 2 failed: web.1 failed: exit 3"},
      {"rollback failed", R"({"generation":3,"revision":1,"status":{"state":"paused","message":"rollback stopped"}})", Verdict::Failed,
       "paused: rollback stopped"},
      {"incomplete",
       R"({"generation":2,"revision":2,"status":{"state":"degraded","desired":3,"rollout":{"state":"incomplete"},"message":"1/3 updated"}})",
       Verdict::Failed, "not all is updated: 1/3 updated"},
      {"no image for an update",
       R"({"generation":2,"revision":2,"status":{"state":"updating","desired":1},"instances":[{"slot":1,"revision":2,"reason":"image_not_found"}]})",
       Verdict::Going, ""},
      {"rolled back", R"({"generation":3,"revision":1,"status":{"state":"running"}})", Verdict::Failed, "rolled back to revision 1"},
      {"no image",
       R"({"generation":2,"revision":2,"spec":{"image":"a:b"},"status":{"state":"converging","desired":1},"instances":[{"slot":1,"revision":2,"reason":"image_not_found"}]})",
       Verdict::Failed, "image not found: a:b"},
      {"no image of an older revision",
       R"({"generation":2,"revision":2,"status":{"state":"converging","desired":1},"instances":[{"slot":1,"revision":1,"reason":"image_not_found"}]})",
       Verdict::Going, ""},
      {"crash loop",
       R"({"generation":2,"revision":2,"status":{"state":"degraded","desired":2},"instances":[{"slot":2,"revision":2,"reason":"crash_loop","message":"exit 1, 3 times in a row"}]})",
       Verdict::Failed, "web.2: exit 1, 3 times in a row; davit service logs web"},
      {"crash loop of one that is to go",
       R"({"generation":2,"revision":2,"status":{"state":"degraded","desired":1},"instances":[{"slot":2,"revision":2,"reason":"crash_loop"}]})",
       Verdict::Going, ""},
      {"nothing known", R"({})", Verdict::Going, ""},
  };
  Goal const goal{.service = "web", .generation = 2, .revision = 2};
  for (auto const& each : cases) {
    auto const result = look(goal, each.service);
    EXPECT_EQ(result.verdict, each.verdict) << each.name;
    EXPECT_EQ(result.message, each.message) << each.name;
  }
  Goal const rollback{.service = "web", .generation = 3, .revision = 1, .is_rollback = true};
  EXPECT_EQ(look(rollback, R"({"generation":3,"revision":1,"status":{"state":"rolling_back"}})").verdict, Verdict::Going);
}

TEST(Progress, HasALineForEachSlot) {
  auto const result = look({.service = "web", .generation = 1, .revision = 2}, R"({"generation":1,"revision":2,
    "status":{"state":"updating","desired":5,"running":2,"ready":2},"instances":[
    {"slot":1,"revision":2,"node":"n1","state":"running","health":"healthy","ready":true,"ports":[{"target":80,"protocol":"tcp","address":"10.0.0.11","published":20000}]},
    {"slot":2,"revision":2,"node":"n2","state":"preparing","message":"pulling 38/71 MB"},
    {"slot":2,"revision":1,"node":"n2","state":"running","ready":true},
    {"slot":3,"revision":2,"node":"n3","state":"starting","state_since":"2026-01-01T00:00:09.700Z"},
    {"slot":4,"revision":1,"node":"n1","state":"running","ready":true}]})");
  std::vector<SlotLine> const expected{
      {"web.1", "n1", "running healthy", "http://10.0.0.11:20000", "", true},
      {"web.2", "n2", "pulling", "38/71 MB", "", false},
      {"web.3", "n3", "starting", "", "0.3 s", false},
      {"web.4", "n1", "running", "revision 1", "", false},
      {"web.5", "-", "pending", "", "", false},
  };
  EXPECT_EQ(result.slots, expected);
  EXPECT_EQ(result.count, "2/5 ready");
}

TEST(Progress, ShowsHowFarAnUpdateIs) {
  auto const update = R"({"status":{"state":"updating","desired":2,"updated":1}})";
  auto const slots = look({.service = "web"}, update).slots;
  ASSERT_EQ(slots.size(), 3U);
  EXPECT_EQ(slots[0], (SlotLine{"web", "-", "1/2 updated", "", "", false}));
}

TEST(Progress, TellsAnEarlierFailureFromWhatGoesOnNow) {
  auto const result = look({.service = "web"}, R"({"status":{"desired":3},"instances":[
    {"slot":1,"state":"failed","reason":"exited","message":"exit 3","next_start_at":"2026-01-01T00:00:17.500Z"},
    {"slot":2,"state":"preparing","reason":"exited","message":"exit 3","state_since":"2026-01-01T00:00:09Z"},
    {"slot":3,"state":"stopping","reason":"replaced","state_since":"2026-01-01T00:00:09Z"}]})");
  std::vector<SlotLine> const expected{{"web.1", "-", "backing off", "exit 3", "8s", false},
                                       {"web.2", "-", "preparing", "again: exit 3", "", false},
                                       {"web.3", "-", "stopping", "", "1.0 s", false}};
  EXPECT_EQ(result.slots, expected);
}

// A service of one instance that is ready, and after that as the container's id says: "" for none.
Look ready_look(std::string_view container, std::string_view monitor) {
  auto const ready = container.empty() ? 0 : 1;
  return look({.service = "web"}, fmt::format(R"({{"spec":{{"update_config":{{"monitor":"{}"}}}},
    "status":{{"state":"{}","desired":1,"running":1,"ready":{}}},
    "instances":[{{"slot":1,"ready":{},"container":{{"id":"{}"}}}}]}})",
                                              monitor, ready ? "running" : "degraded", ready, ready == 1, container));
}

TEST(Settling, HoldsTheVerdictBackUntilTheSameContainersHaveLasted) {
  Monotonic const start(1h);
  Settling settling;
  EXPECT_EQ(settling.judge(ready_look("a", "10s"), start), Verdict::Going);
  EXPECT_EQ(settling.ends_at(), start + 1s);
  EXPECT_EQ(settling.judge(ready_look("", "10s"), start + 200ms), Verdict::Going);
  EXPECT_FALSE(settling.is_under_way());
  EXPECT_EQ(settling.judge(ready_look("b", "10s"), start + 700ms), Verdict::Going);
  EXPECT_EQ(settling.judge(ready_look("c", "10s"), start + 1500ms), Verdict::Going) << "restarted between two looks";
  EXPECT_EQ(settling.judge(ready_look("c", "10s"), start + 2500ms), Verdict::Converged);
  EXPECT_EQ(settling.since(), start + 1500ms);
}

TEST(Settling, TakesNoLongerThanTheServicesOwnMonitor) {
  Monotonic const start(1h);
  Settling settling;
  EXPECT_EQ(settling.judge(ready_look("a", "300ms"), start), Verdict::Going);
  EXPECT_EQ(settling.judge(ready_look("a", "300ms"), start + 300ms), Verdict::Converged);
  EXPECT_EQ(Settling().judge(ready_look("a", "0s"), start), Verdict::Converged);
}

TEST(Settling, HasNothingToWaitForWhereNothingRuns) {
  auto const none = look({.service = "web"}, R"({"status":{"state":"running","desired":0,"running":0,"ready":0}})");
  EXPECT_EQ(Settling().judge(none, Monotonic(1h)), Verdict::Converged);
}

TEST(Progress, GuessesUrls) {
  EXPECT_EQ(url_of(json(R"({"ports":[{"target":443,"protocol":"tcp","address":"::1","published":20000}]})")), "https://[::1]:20000");
  EXPECT_EQ(url_of(json(R"({"ports":[{"target":5432,"protocol":"tcp","address":"a","published":20000}]})")), "a:20000");
  EXPECT_EQ(url_of(json(R"({"ports":[]})")), "");
}

TEST(Progress, NamesTheAddressThatEveryNodeHas) {
  auto const urls = [](std::string_view ports, std::string_view instances) {
    return ingress_urls_of(json(fmt::format(R"({{"spec":{{"ports":{}}},"instances":{}}})", ports, instances)));
  };
  auto const* const running =
      R"([{"ports":[]},{"ports":[{"target":79,"protocol":"tcp","address":"127.0.0.1","published":9000},{"target":53,"protocol":"udp","address":"10.0.0.11","published":20001},{"target":80,"protocol":"tcp","address":"10.0.0.11","published":20000}]}])";
  auto const* const shop =
      R"([{"target":80,"published":8080,"mode":"ingress"},{"target":53,"published":53,"protocol":"udp","mode":"ingress"},{"target":81}])";
  EXPECT_EQ(urls(shop, running), (std::vector<std::string>{"http://10.0.0.11:8080", "10.0.0.11:53"}));
  EXPECT_TRUE(urls(shop, R"([{"ports":[]}])").empty());
  EXPECT_TRUE(urls(R"([{"target":80,"published":8080}])", running).empty());
}

std::vector<SlotLine> const kSlots{{"web.1", "n1", "running", "url", "", true},
                                   {"web.2", "n2", "starting", "", "0.3 s", false},
                                   {"web.3", "n2", "running", "url", "", true},
                                   {"web.4", "n2", "backing off", "exit 3", "8s", false}};

TEST(Screen, ShowsAllThatFits) {
  EXPECT_EQ(lines_for(kSlots, 24), (std::vector<std::string>{"web.1  n1  running      url", "web.2  n2  starting     0.3 s",
                                                             "web.3  n2  running      url", "web.4  n2  backing off  8s: exit 3"}));
}

TEST(Screen, PrefersWhatIsNotReady) {
  EXPECT_EQ(lines_for(kSlots, 5), (std::vector<std::string>{"web.2  n2  starting     0.3 s", "web.4  n2  backing off  8s: exit 3",
                                                            "web.1  n1  running      url", "… and 1 more"}));
}

TEST(Screen, AppendsOnlyNews) {
  std::map<std::string, std::string> shown;
  EXPECT_EQ(news(kSlots, shown).size(), 4U);
  auto next = kSlots;
  next[1].clock = "1.3 s";  // the clock is no news
  EXPECT_TRUE(news(next, shown).empty());
  next[1].state = "running";
  EXPECT_EQ(news(next, shown), std::vector<std::string>{"web.2  n2  running"});
}

}  // namespace
}  // namespace davit::cli
