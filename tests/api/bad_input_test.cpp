// What is wrong gets a problem that names it, and changes nothing.
#include <fmt/core.h>

#include "api/api_harness.hpp"

namespace davit::api {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct BadRequest {
  std::string what;
  std::string method;
  std::string target;
  std::string body;
  int status;
  std::string pointer;  // "": none is named
  std::string word;     // of the answer
};

std::string spec(std::string const& more) { return R"({"name":"bad","image":"ok:1",)" + more + "}"; }

std::string repeated(std::string const& text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

std::string large_environment() {
  std::string members;
  for (int i = 0; i < 140; ++i) members += fmt::format("{}\"K{}\":\"{}\"", i == 0 ? "" : ",", i, std::string(1000, 'x'));
  return spec("\"environment\":{" + members + "}");
}

std::vector<BadRequest> const& bad_requests() {
  static std::vector<BadRequest> const all = {
      {"malformed JSON", "POST", "/services", R"({"name":)", 400, "", "line 1"},
      {"empty body", "POST", "/services", "", 400, "", "empty"},
      {"no object", "POST", "/services", "[1]", 422, "#", "an object"},
      {"duplicate key", "POST", "/services", R"({"image":"a","image":"b"})", 400, "#/image", "twice"},
      {"unknown field", "POST", "/services", spec(R"("env":{})"), 422, "#/env", "environment"},
      {"wrong type", "POST", "/services", spec(R"("instances":"3")"), 422, "#/instances", "string"},
      {"true is no number", "POST", "/services", spec(R"("instances":true)"), 422, "#/instances", ""},
      {"bad name", "POST", "/services", R"({"name":"Web!","image":"ok:1"})", 422, "#/name", ""},
      {"empty name", "POST", "/services", R"({"name":"","image":"ok:1"})", 422, "#/name", "63"},
      {"name of another type", "POST", "/services", R"({"name":7,"image":"ok:1"})", 422, "#/name", "a string"},
      {"no name", "POST", "/services", R"({"image":"ok:1"})", 422, "#/name", "must be given"},
      {"two names", "POST", "/services/other", spec(R"("instances":0)"), 422, "#/name", "other"},
      {"bad name in the path", "POST", "/services/Web!", R"({"image":"ok:1"})", 422, "#/name", ""},
      {"slash in the name in the path", "POST", "/services/a%2Frestart", R"({"image":"ok:1"})", 422, "#/name", ""},
      {"bad name in the path of a change", "PUT", "/services/Web!", R"({"instances":1})", 422, "", "Web!"},
      {"no image", "POST", "/services", R"({"name":"bad"})", 422, "#/image", ""},
      {"instances below 0", "POST", "/services", spec(R"("instances":-1)"), 422, "#/instances", ""},
      {"instances above 100,000", "POST", "/services", spec(R"("instances":100001)"), 422, "#/instances", ""},
      {"port out of range", "POST", "/services", spec(R"("ports":[80,65536])"), 422, "#/ports/1", ""},
      {"published port twice", "POST", "/services", spec(R"("ports":["8080:80","8080:81"])"), 422, "#/ports/1/published", ""},
      {"memory below 6 MiB", "POST", "/services", spec(R"("resources":{"limits":{"memory":"5m"}})"), 422, "#/resources/limits/memory", "6"},
      {"spec over 128 KiB", "POST", "/services", large_environment(), 422, "#", "131072"},
      {"arrays nested 10,000 deep", "POST", "/services", repeated("[", 10'000) + repeated("]", 10'000), 400, "", "deep"},
      {"objects nested 10,000 deep", "POST", "/services", repeated("{\"a\":", 10'000) + "1" + repeated("}", 10'000), 400, "", "deep"},
      {"invalid UTF-8", "POST", "/services", "{\"name\":\"bad\",\"image\":\"\xff\xfe\"}", 400, "", "UTF-8"},
      {"existing service", "POST", "/services", R"({"name":"web","image":"ok:1"})", 409, "", "web"},
      {"unknown service", "GET", "/services/none", "", 404, "", "none"},
      {"change of an unknown service", "PUT", "/services/none", R"({"instances":1})", 404, "", "none"},
      {"removal of an unknown service", "DELETE", "/services/none", "", 404, "", "none"},
      {"unknown method", "DELETE", "/services", "", 405, "", "GET, HEAD, POST"},
      {"unknown path", "GET", "/servces", "", 404, "", "/services"},
      {"unknown path below a service", "GET", "/service/web/log", "", 404, "", "/services/web/logs"},
      {"unknown parameter", "POST", "/services?wiat=1s", spec(R"("instances":0)"), 400, "?wiat", "wait"},
      {"parameter where there is none", "GET", "/version?x", "", 400, "?x", "no parameters"},
      {"wait without a unit", "POST", "/services?wait=10", spec(R"("instances":0)"), 400, "?wait", ""},
      {"wait of a day", "POST", "/services?wait=24h", spec(R"("instances":0)"), 400, "?wait", "1h"},
      {"flag that is none", "POST", "/services?dry_run=maybe", spec(R"("instances":0)"), 400, "?dry_run", "maybe"},
      {"page of none", "GET", "/services?limit=0", "", 400, "?limit", "1000"},
      {"bad after", "GET", "/services/web/instances?after=x.y", "", 400, "?after", "Link"},
      {"unknown field in a patch", "PUT", "/services/web", R"({"instance":5})", 422, "#/instance", "instances"},
      {"unknown field set to null in a patch", "PATCH", "/services/web", R"({"instance":null})", 422, "#/instance", "instances"},
      {"patch that takes the image away", "PUT", "/services/web", R"({"image":null})", 422, "#/image", ""},
      {"new name in a patch", "PUT", "/services/web", R"({"name":"other"})", 422, "#/name", "renamed"},
      {"body of a restart", "POST", "/services/web/restart", R"({"slot":1})", 422, "#/slot", ""},
      {"rollback without an earlier revision", "POST", "/services/web/rollback", "", 422, "#/revision", "no earlier revision"},
      {"pause where nothing is under way", "POST", "/services/web/pause", "", 422, "", "no update"},
      {"resume where nothing is under way", "POST", "/services/web/resume", "", 422, "", "no update"},
      {"body of a pause", "POST", "/services/web/pause", R"({"slot":1})", 422, "#/slot", ""},
      {"rollback to a word", "POST", "/services/web/rollback", R"({"revision":"1"})", 422, "#/revision", "string"},
  };
  return all;
}

TEST_F(ApiTest, names_what_is_wrong_and_changes_nothing) {
  ASSERT_EQ(ask("POST", "/services", R"({"name":"web","image":"ok:1","instances":0})").status, 201);
  auto const before = get("/services").text;
  for (auto const& bad : bad_requests()) {
    SCOPED_TRACE(bad.what);
    auto const answer = ask(bad.method, bad.target, bad.body);
    EXPECT_EQ(answer.status, bad.status) << answer;
    EXPECT_EQ(answer.headers.get("Content-Type"), "application/problem+json");
    EXPECT_EQ(answer.at("status").as_int(), answer.status);
    EXPECT_EQ(answer.at("type").text(), fmt::format("/problems/{}", answer.at("code").text()));
    EXPECT_NE(answer.at("title").text(), "");
    EXPECT_NE(answer.at("detail").text(), "");
    if (bad.pointer.empty()) {
      EXPECT_THAT(answer.text, HasSubstr(bad.word));
    } else {
      EXPECT_NE(answer.error(bad.pointer), "") << answer;
      EXPECT_THAT(answer.error(bad.pointer), HasSubstr(bad.word)) << answer;
    }
    EXPECT_EQ(get("/services").text, before);
  }
}

TEST_F(ApiTest, refuses_every_mutilation_of_a_good_body_without_falling_over) {
  std::string const good = R"({"name":"bad","image":"","ports":["8080:80"],"environment":{"A":"b"},"healthcheck":{"test":"x"}})";
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (auto const& mutilated : {good.substr(0, i), good.substr(0, i) + '\0' + good.substr(i), good.substr(0, i) + good.substr(i + 1)}) {
      auto const answer = ask("POST", "/services", mutilated);
      ASSERT_TRUE(answer.status == 400 || answer.status == 422) << mutilated << ": " << answer;
    }
  }
}

TEST_F(ApiTest, suggests_json_for_other_media_types) {
  for (auto const* type :
       {"application/x-www-form-urlencoded", "text/plain", "application/json-patch+json", "application/merge-patch+json"}) {
    auto const answer = ask("POST", "/services", R"({"name":"web","image":"ok:1"})", {{"Content-Type", type}});
    EXPECT_EQ(answer.status, 415) << type;
    EXPECT_THAT(std::string(answer.at("detail").text()), HasSubstr("curl --json"));
  }
  EXPECT_EQ(ask("POST", "/services", R"({"name":"web","image":"ok:1"})", {{"Content-Type", "Application/JSON; charset=utf-8"}}).status,
            201);
  EXPECT_EQ(ask("PATCH", "/services/web", R"({"instances":0})", {{"Content-Type", "application/merge-patch+json"}}).status, 200);
}

TEST_F(ApiTest, refuses_a_large_body_with_a_problem) {
  auto const answer = ask("POST", "/services", std::string((1 << 20) + 1, ' '));
  EXPECT_EQ(answer.status, 413) << answer;
  EXPECT_EQ(answer.at("code").text(), "body_too_large");
}

TEST_F(ApiTest, says_which_methods_a_path_takes) {
  auto const refused = ask("POST", "/healthz", "{}");
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(refused.headers.get("Allow"), "GET, HEAD, OPTIONS");
  auto const options = ask("OPTIONS", "/v1/service/web");
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.headers.get("Allow"), "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  EXPECT_EQ(ask("OPTIONS", "/nowhere").status, 404);
}

TEST_F(ApiTest, knows_no_routes_of_later_versions) {
  for (auto const* target : {"/nodes/n1/pause", "/v2/services", "//services", "/services//logs", "*", "/"}) {
    EXPECT_EQ(ask("POST", target, "{}").status, 404) << target;
  }
}

TEST_F(ApiTest, refuses_headers_that_cannot_be_read) {
  ASSERT_EQ(ask("POST", "/services", R"({"name":"web","image":"ok:1","instances":0})").status, 201);
  for (auto const& [name, value] : http::Headers{{"If-Match", "4"}, {"If-Match", "\"4"}, {"Idempotency-Key", std::string(257, 'k')}}) {
    auto const answer = ask("PUT", "/services/web", R"({"instances":1})", {{name, value}});
    EXPECT_EQ(answer.status, 400) << answer;
    EXPECT_EQ(answer.at("code").text(), "bad_header");
    EXPECT_NE(answer.error(name), "");
  }
  EXPECT_EQ(get("/services", {{"Davit-Revision", "soon"}}).status, 400);
}

}  // namespace
}  // namespace davit::api
