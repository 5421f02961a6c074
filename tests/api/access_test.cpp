// Who may ask.
#include "api/api_harness.hpp"

namespace davit::api {
namespace {

TEST_F(ApiTest, answers_its_own_names_only_on_a_loopback_listener) {
  for (auto const* host : {"localhost", "LOCALHOST:4820", "127.0.0.1:1", "127.9.9.9", "[::1]:4820", "n1:4820"}) {
    EXPECT_EQ(ask_over_tcp({.method = "GET", .target = "/services"}, host).status, 200) << host;
  }
  for (auto const* host :
       {"evil.example", "evil.example:4820", "localhost.evil.example", "127.evil.example", "128.0.0.1", "[::2]", "[", "localhost@evil"}) {
    auto const answer = ask_over_tcp({.method = "GET", .target = "/services"}, host);
    EXPECT_EQ(answer.status, 421) << host;
    EXPECT_EQ(answer.at("code").text(), "foreign_host");
  }
}

TEST_F(ApiTest, refuses_writes_of_other_sites_pages) {
  auto const write = [&](std::string origin) {
    return ask_over_tcp({.method = "DELETE", .target = "/services/none", .headers = {{"Origin", std::move(origin)}}}).status;
  };
  for (auto const* origin : {"http://evil.example", "null", "", "http://localhost.evil.example"}) EXPECT_EQ(write(origin), 403) << origin;
  for (auto const* origin : {"http://localhost:3000", "http://127.0.0.1", "https://[::1]:1"}) EXPECT_EQ(write(origin), 404) << origin;
  EXPECT_EQ(ask_over_tcp({.method = "GET", .target = "/services", .headers = {{"Origin", "http://evil.example"}}}).status, 200);
}

TEST_F(ApiTest, demands_the_token_but_for_health_and_the_unix_socket) {
  start({.version = "0.1", .node = "n1", .token = "secret-token"});
  auto const with = [&](http::Headers headers, std::string target = "/services") {
    return ask_over_tcp({.method = "GET", .target = std::move(target), .headers = std::move(headers)});
  };
  for (auto const* given : {"", "Bearer", "Bearer ", "Bearer secret-toke", "Bearer secret-token ", "Bearer secret-tokenx",
                            "Basic secret-token", "secret-token"}) {
    auto const answer = with({{"Authorization", given}});
    EXPECT_EQ(answer.status, given == std::string_view("Bearer secret-token ") ? 200 : 401) << given;  // the parser trims values
    if (answer.status == 401) EXPECT_TRUE(answer.headers.get("WWW-Authenticate").starts_with("Bearer"));
  }
  EXPECT_EQ(with({}).status, 401);
  EXPECT_EQ(with({}, "/metrics").status, 401);
  EXPECT_EQ(with({}, "/nowhere").status, 401);
  EXPECT_EQ(with({{"Authorization", "bearer secret-token"}}).status, 200);
  EXPECT_EQ(with({}, "/healthz").status, 200);
  EXPECT_EQ(get("/services").status, 200);
}

}  // namespace
}  // namespace davit::api
