// What writes do and answer.
#include <fmt/core.h>

#include "api/api_harness.hpp"

namespace davit::api {
namespace {

using testing::HasSubstr;

struct WritesTest : ApiTest {
  Answer create(std::string const& image = "ok:1", int instances = 0) {
    return ask("POST", "/services", fmt::format(R"({{"name":"web","image":"{}","instances":{}}})", image, instances));
  }
  std::string spec() { return codec::dump(get("/services/web").at("spec")); }
};

TEST_F(WritesTest, creates_a_service) {
  auto const answer = ask("POST", "/services", R"({"name":"web","image":"ok","instances":2,"ports":["8080:80"]})");
  EXPECT_EQ(answer.status, 201) << answer;
  EXPECT_EQ(answer.headers.get("Location"), "/services/web");
  EXPECT_EQ(answer.headers.get("ETag"), "\"1\"");
  EXPECT_NE(answer.headers.get("Davit-Revision"), "");
  EXPECT_EQ(answer.at("status").at("desired").as_int(), 2);
  auto const warnings = answer.at("warnings");
  ASSERT_FALSE(warnings.items().empty());
  for (auto const& warning : warnings.items()) {
    EXPECT_TRUE(warning.at("pointer").text().starts_with("#")) << codec::dump(warning);
    EXPECT_NE(warning.at("message").text(), "");
  }
  EXPECT_EQ(ask("POST", "/v1/service/db", R"({"name":"db","image":"ok:1"})").status, 201);
  EXPECT_EQ(ask("POST", "/services/queue", R"({"image":"ok:1"})").status, 201);
}

TEST_F(WritesTest, merges_patches) {
  ask("POST", "/services", R"({"name":"web","image":"ok:1","instances":0,"environment":{"A":"1","B":"2"},"stop_grace_period":"3s"})");
  EXPECT_EQ(ask("PUT", "/services/web", R"({"environment":{"B":null,"C":"3"}})").status, 200);
  EXPECT_EQ(spec(), R"({"image":"ok:1","instances":0,"environment":{"A":"1","C":"3"},"stop_grace_period":"3s"})");
  EXPECT_EQ(ask("PATCH", "/services/web", R"({"environment":null,"stop_grace_period":null,"ports":[81]})").status, 200);
  EXPECT_EQ(spec(), R"({"image":"ok:1","instances":0,"ports":[{"target":81,"protocol":"tcp","mode":"host"}]})");
  auto const unchanged = ask("PUT", "/services/web", spec());
  EXPECT_EQ(unchanged.headers.get("ETag"), "\"3\"");
  EXPECT_EQ(ask("PUT", "/service/web", R"({"name":"web","instances":1})").headers.get("ETag"), "\"4\"");
}

TEST_F(WritesTest, loses_no_change_when_patches_come_at_once) {
  create();
  std::vector<std::shared_ptr<std::optional<Answer>>> answers;
  for (int i = 0; i < 8; ++i) {
    answers.push_back(begin({.method = "PATCH",
                             .target = "/services/web",
                             .headers = {{"Content-Type", "application/json"}},
                             .body = fmt::format(R"({{"environment":{{"K{}":"x"}}}})", i)}));
  }
  for (auto const& answer : answers) {
    ASSERT_TRUE(eventually([&] { return answer->has_value(); }));
    EXPECT_EQ((*answer)->status, 200) << **answer;
  }
  EXPECT_EQ(get("/services/web").at("spec").at("environment").members().size(), 8U);
  EXPECT_EQ(get("/services/web").at("generation").as_int(), 9);
}

TEST_F(WritesTest, replaces_the_whole_spec) {
  EXPECT_EQ(ask("PUT", "/services/web", R"({"image":"ok:1"})").status, 404);
  EXPECT_EQ(ask("PUT", "/services/web?replace=true", R"({"image":"ok:1","labels":{"a":"b"}})", {{"If-Match", "*"}}).status, 404);
  EXPECT_EQ(ask("PUT", "/services/web?replace=true", R"({"image":"ok:1","labels":{"a":"b"}})").status, 201);
  EXPECT_EQ(ask("PUT", "/services/web?replace=true", R"({"image":"ok:1"})").status, 200);
  EXPECT_EQ(spec(), R"({"image":"ok:1"})");
}

TEST_F(WritesTest, meets_if_match) {
  create();
  EXPECT_EQ(ask("PUT", "/services/web", R"({"instances":1})", {{"If-Match", "\"1\""}}).status, 200);
  for (auto const* stale : {"\"1\"", "\"1\", \"7\"", "W/\"2\"", "\"other\""}) {
    auto const answer = ask("PUT", "/services/web", R"({"instances":2})", {{"If-Match", stale}});
    EXPECT_EQ(answer.status, 412) << stale << answer;
    EXPECT_EQ(answer.at("code").text(), "stale_generation");
  }
  for (auto const* action : {"restart", "rollback", "pause", "resume"})
    EXPECT_EQ(ask("POST", fmt::format("/services/web/{}", action), {}, {{"If-Match", "\"1\""}}).status, 412);
  EXPECT_EQ(ask("DELETE", "/services/web", {}, {{"If-Match", "\"1\""}}).status, 412);
  EXPECT_EQ(ask("PUT", "/services/web", R"({"instances":2})", {{"If-Match", "\"7\", \"2\""}}).status, 200);
  EXPECT_EQ(ask("PUT", "/services/web", R"({"instances":3})", {{"If-Match", "*"}}).status, 200);
  EXPECT_EQ(ask("POST", "/services", R"({"name":"web","image":"ok:1"})", {{"If-Match", "*"}}).status, 412);
  EXPECT_EQ(get("/services/web").at("generation").as_int(), 4);
}

// Another master has shown it, and this one is about to see it. A patch of what it shows now would undo that generation.
TEST_F(WritesTest, waits_for_the_generation_that_if_match_names) {
  create();
  auto const early = begin({.method = "PUT",
                            .target = "/services/web",
                            .headers = {{"If-Match", "\"3\""}, {"Content-Type", "application/json"}},
                            .body = R"({"labels":{"a":"b"}})"});
  EXPECT_EQ(ask("PUT", "/services/web", R"({"instances":1})").status, 200);
  EXPECT_FALSE(early->has_value());
  EXPECT_EQ(ask("PUT", "/services/web", R"({"instances":2})").status, 200);
  ASSERT_TRUE(eventually([&] { return early->has_value(); }));
  EXPECT_EQ((*early)->status, 200) << **early;
  EXPECT_EQ((*early)->at("generation").as_int(), 4);
  EXPECT_EQ((*early)->at("spec").at("instances").as_int(), 2);
}

TEST_F(WritesTest, carries_out_a_repeated_request_once) {
  http::Headers const key{{"Idempotency-Key", "k1"}};
  auto const body = R"({"name":"web","image":"ok:1","instances":0})";
  auto const first = ask("POST", "/services", body, key);
  auto const again = ask("POST", "/v1/services?wait=1s", body, key);
  EXPECT_EQ(first.status, 201);
  EXPECT_EQ(again.status, 201) << again;
  EXPECT_EQ(again.headers.get("Idempotency-Replayed"), "true");
  EXPECT_EQ(again.at("uid").text(), first.at("uid").text());
  http::Headers const other{{"Idempotency-Key", "k2"}};
  EXPECT_EQ(ask("PUT", "/services/web", R"({"instances":1})", other).headers.get("ETag"), "\"2\"");
  EXPECT_EQ(ask("PUT", "/services/web", R"({"instances":0})").headers.get("ETag"), "\"3\"");
  auto const repeated = ask("PUT", "/services/web", R"({"instances":1})", other);
  EXPECT_EQ(repeated.headers.get("ETag"), "\"3\"") << repeated;
  EXPECT_EQ(repeated.at("spec").at("instances").as_int(), 0);
  auto const reused = ask("PUT", "/services/web", R"({"instances":2})", other);
  EXPECT_EQ(reused.status, 422);
  EXPECT_EQ(reused.at("code").text(), "idempotency_key_reused");
}

TEST_F(WritesTest, shows_what_a_dry_run_would_do_and_does_nothing) {
  auto const made = ask("POST", "/services?dry_run=true", R"({"name":"web","image":"ok:1","instances":2})");
  EXPECT_EQ(made.status, 200) << made;
  EXPECT_EQ(made.at("dry_run").as_bool(), true);
  EXPECT_EQ(made.at("generation").as_int(), 1);
  EXPECT_EQ(get("/services/web").status, 404);
  create("ok:1", 2);
  auto const changed = ask("PUT", "/services/web?dry_run", R"({"image":"ok:2"})");
  EXPECT_EQ(changed.at("revision").as_int(), 2);
  EXPECT_EQ(codec::dump(changed.at("changes")), R"([{"pointer":"#/image","before":"ok:1","after":"ok:2","change":"replace"}])");
  EXPECT_EQ(changed.at("spec").at("image").text(), "ok:2");
  EXPECT_EQ(ask("DELETE", "/services/web?dry_run=true").at("removing").as_bool(), true);
  EXPECT_EQ(ask("POST", "/services?dry_run=true", R"({"name":"web","image":"ok:1"})").status, 409);
  EXPECT_EQ(get("/services/web").at("generation").as_int(), 1);
  EXPECT_EQ(spec(), R"({"image":"ok:1","instances":2})");
}

TEST_F(WritesTest, waits_until_the_service_runs) {
  auto const waiting = begin({.method = "POST",
                              .target = "/services?wait=1m",
                              .headers = {{"Content-Type", "application/json"}},
                              .body = R"({"name":"web","image":"wait:1","instances":2})"});
  ASSERT_TRUE(becomes("web", "converging"));
  EXPECT_FALSE(waiting->has_value());
  agent->proceed();
  ASSERT_TRUE(eventually([&] { return waiting->has_value(); }));
  EXPECT_EQ((*waiting)->status, 201);
  EXPECT_EQ((*waiting)->at("status").at("state").text(), "running");
  EXPECT_EQ((*waiting)->at("status").at("ready").as_int(), 2);
}

TEST_F(WritesTest, waits_no_longer_than_it_makes_sense) {
  auto const hopeless = ask("POST", "/services?wait=1h", R"({"name":"web","image":"none:1"})");
  EXPECT_EQ(hopeless.status, 201);
  EXPECT_EQ(hopeless.at("status").at("state").text(), "degraded");
  auto const late = ask("POST", "/services?wait=20ms", R"({"name":"slow","image":"wait:1"})");
  EXPECT_EQ(late.status, 201);
  EXPECT_EQ(late.at("status").at("state").text(), "converging");
}

TEST_F(WritesTest, removes_a_service_and_waits_for_it) {
  create("ok:1", 3);
  ASSERT_TRUE(becomes("web", "running"));
  auto const answer = ask("DELETE", "/services/web?wait=5s");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.at("name").text(), "web");
  EXPECT_EQ(answer.at("status").at("state").text(), "removed");
  EXPECT_EQ(get("/services/web").status, 404);
  EXPECT_EQ(ask("DELETE", "/services/web").status, 404);
  EXPECT_EQ(create().status, 201);
}

TEST_F(WritesTest, restarts_and_rolls_back) {
  create("ok:1", 1);
  ASSERT_TRUE(becomes("web", "running"));
  EXPECT_EQ(ask("PUT", "/services/web", R"({"image":"wait:2"})").at("revision").as_int(), 2);
  auto const back = ask("POST", "/services/web/rollback");
  EXPECT_EQ(back.status, 200) << back;
  EXPECT_EQ(back.at("revision").as_int(), 1);
  EXPECT_EQ(back.at("spec").at("image").text(), "ok:1");
  auto const there = ask("POST", "/services/web/rollback", R"({"revision":2})");
  EXPECT_EQ(there.at("revision").as_int(), 2) << there;
  EXPECT_EQ(ask("POST", "/services/web/rollback", R"({"revision":9})").status, 422);
  auto const restarted = ask("POST", "/services/web/restart");
  EXPECT_EQ(restarted.status, 200);
  EXPECT_EQ(restarted.at("revision").as_int(), 3);
  EXPECT_EQ(restarted.at("generation").as_int(), 5);
}

TEST_F(WritesTest, pauses_and_resumes_an_update) {
  create("ok:1", 2);
  ASSERT_TRUE(becomes("web", "running"));
  EXPECT_TRUE(get("/services/web").at("status").at("rollout").is_null());
  EXPECT_EQ(ask("PUT", "/services/web", R"({"image":"wait:2"})").at("status").at("state").text(), "updating");
  EXPECT_EQ(ask("POST", "/services/web/pause?dry_run=true").at("generation").as_int(), 3);
  auto const paused = ask("POST", "/services/web/pause?wait=1m", {}, {{"If-Match", "\"2\""}, {"Idempotency-Key", "k"}});
  EXPECT_EQ(paused.status, 200) << paused;
  EXPECT_EQ(paused.headers.get("ETag"), "\"3\"");
  EXPECT_EQ(paused.at("status").at("state").text(), "paused");
  EXPECT_EQ(paused.at("status").at("message").text(), "update to revision 2 is paused: 0/2 updated");
  EXPECT_EQ(ask("POST", "/services/web/pause", {}, {{"If-Match", "\"2\""}, {"Idempotency-Key", "k"}}).headers.get("Idempotency-Replayed"),
            "true");
  EXPECT_EQ(ask("POST", "/services/web/pause").headers.get("ETag"), "\"3\"") << "it is so already";
  auto const resumed = ask("POST", "/services/web/resume");
  EXPECT_EQ(resumed.at("status").at("state").text(), "updating") << resumed;
  auto const& rollout = resumed.at("status").at("rollout");
  EXPECT_EQ(rollout.at("state").text(), "active");
  EXPECT_EQ(rollout.at("order").text(), "start-first");
  EXPECT_EQ(rollout.at("to").as_int(), 2);
}

TEST_F(WritesTest, tells_of_an_automatic_rollback) {
  create("ok:1", 1);
  ASSERT_TRUE(becomes("web", "running"));
  auto const updated = ask("PUT", "/services/web?wait=1m", R"({"image":"none:2"})");
  EXPECT_EQ(updated.at("revision").as_int(), 1) << updated;
  EXPECT_EQ(updated.at("status").at("state").text(), "running");
  EXPECT_NE(updated.at("status").at("message").text().find("update to revision 2 was rolled back: web.1 failed"), std::string::npos);
  EXPECT_EQ(updated.at("status").at("rollout").at("automatic").as_bool(), true);
  auto const history = get("/services/web/history");
  auto const events = history.json.items();
  auto const back = std::ranges::find(events, "rolled_back", [](auto const& event) { return event.at("type").text(); });
  ASSERT_NE(back, events.end()) << history.text;
  EXPECT_EQ(back->at("author").text(), "davit");
  EXPECT_EQ(back->at("reason").text(), "image_not_found");
  EXPECT_EQ(back->at("revision").as_int(), 1);
}

}  // namespace
}  // namespace davit::api
