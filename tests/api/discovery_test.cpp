// Where services are, for proxies and for Prometheus.
#include <fmt/core.h>

#include "api/api_harness.hpp"

namespace davit::api {
namespace {

struct DiscoveryTest : ApiTest {
  void run(std::string const& name, std::string const& more = "") {
    ASSERT_EQ(
        ask("POST", "/services", fmt::format(R"({{"name":"{}","image":"ok:1","ports":[{{"name":"http","target":80}}]{}}})", name, more))
            .status,
        201);
    ASSERT_TRUE(becomes(name, "running"));
  }
};

TEST_F(DiscoveryTest, tells_where_ready_instances_are) {
  run("web");
  auto const list = get("/discovery/web");
  ASSERT_EQ(list.json.items().size(), 1U) << list;
  auto const& endpoint = list.json.items().front();
  EXPECT_EQ(endpoint.at("slot").as_int(), 1);
  EXPECT_EQ(endpoint.at("node").text(), "n1");
  EXPECT_EQ(endpoint.at("port").as_int(), 20'000);
  EXPECT_EQ(endpoint.at("target").as_int(), 80);
  EXPECT_EQ(endpoint.at("protocol").text(), "tcp");
  EXPECT_EQ(endpoint.at("name").text(), "http");
}

TEST_F(DiscoveryTest, tells_nothing_of_those_that_are_not_ready) {
  ASSERT_EQ(ask("POST", "/services", R"({"name":"web","image":"wait:1","ports":[80]})").status, 201);
  EXPECT_EQ(get("/discovery/web").text, "[]\n");
  agent->proceed();
  EXPECT_TRUE(eventually([&] { return get("/discovery/web").json.items().size() == 1; }));
}

TEST_F(DiscoveryTest, holds_the_answer_until_the_list_is_another_one) {
  ASSERT_EQ(ask("POST", "/services", R"({"name":"web","image":"wait:1","ports":[80]})").status, 201);
  auto const etag = std::string(get("/discovery/web").headers.get("ETag"));
  EXPECT_EQ(get("/discovery/web", {{"If-None-Match", etag}}).status, 304);
  EXPECT_EQ(get("/discovery/web?wait=10ms", {{"If-None-Match", etag}}).status, 304);
  auto const held = begin({.method = "GET", .target = "/discovery/web?wait=60s", .headers = {{"If-None-Match", etag}}, .body = {}});
  agent->proceed();
  ASSERT_TRUE(eventually([&] { return held->has_value(); }));
  EXPECT_EQ((*held)->status, 200);
  EXPECT_NE((*held)->headers.get("ETag"), etag);
}

TEST_F(DiscoveryTest, speaks_the_language_of_prometheus) {
  run("web", R"(,"labels":{"team.name":"blue"})");
  run("db");
  auto const all = get("/http_sd");
  ASSERT_EQ(all.json.items().size(), 2U) << all;
  auto const one = get("/http_sd?service=web");
  ASSERT_EQ(one.json.items().size(), 1U) << one;
  auto const& group = one.json.items().front();
  EXPECT_THAT(std::string(group.at("targets").items().front().text()), testing::EndsWith(":20000"));
  EXPECT_EQ(group.at("labels").at("__meta_davit_service").text(), "web");
  EXPECT_EQ(group.at("labels").at("__meta_davit_label_team_name").text(), "blue");
}

TEST_F(DiscoveryTest, knows_no_other_services) {
  EXPECT_EQ(get("/discovery/web").status, 404);
  EXPECT_EQ(get("/http_sd?service=web").status, 404);
  run("web");
  EXPECT_EQ(get("/discovery/web?wait=soon").status, 400);
}

}  // namespace
}  // namespace davit::api
