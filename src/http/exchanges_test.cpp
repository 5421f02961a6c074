// Requests and their answers.
#include <memory>
#include <optional>
#include <string>

#include <fmt/core.h>

#include "http/http_harness.hpp"

namespace davit::http {
namespace {

using testing::StartsWith;

TEST_F(HttpTest, answers_over_tcp_and_unix_sockets) {
  start();
  for (auto const& endpoint : {tcp(), unix_socket()}) {
    Client client(loop, endpoint);
    auto const answer = ask(client, {.method = "POST", .target = "/s%20x?a=1&b=x%20y+z&c", .headers = {{"X-One", "1"}}, .body = "hello"});
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body.view(), "POST hello");
    EXPECT_EQ(answer->headers.get("x-path"), "/s%20x");
    EXPECT_THAT(std::string(answer->headers.get("Date")), testing::EndsWith("GMT"));
    Request const& seen = requests.back();
    EXPECT_EQ(seen.query, (Query{{"a", "1"}, {"b", "x y z"}, {"c", ""}}));
    EXPECT_EQ(seen.headers.get("x-one"), "1");
    bool const is_unix = endpoint.kind == Endpoint::Kind::Unix;
    EXPECT_EQ(seen.transport, is_unix ? Transport::Unix : Transport::TcpLoopback);
    EXPECT_THAT(seen.remote, StartsWith(is_unix ? fmt::format("unix:uid={}", ::getuid()) : "127.0.0.1:"));
  }
}

TEST_F(HttpTest, the_fast_handler_comes_first) {
  options.fast_handler = [](Request const& request) -> std::optional<Response> {
    if (request.path != "/cached") return std::nullopt;
    return Response{.status = 200, .headers = {}, .body = std::make_shared<std::string const>("from the cache")};
  };
  start();
  Client client(loop, tcp());
  EXPECT_EQ(ask(client, get("/cached"))->body.view(), "from the cache");
  EXPECT_EQ(ask(client, get("/other"))->body.view(), "GET ");
  EXPECT_EQ(requests.size(), 1U);
}

TEST_F(HttpTest, head_and_204_have_no_body) {
  start();
  Client client(loop, tcp());
  auto const head = ask(client, {.method = "HEAD", .target = "/a"});
  EXPECT_EQ(head->headers.get("Content-Length"), "5");
  EXPECT_TRUE(head->body.empty());
  auto const empty = ask(client, get("/empty"));
  EXPECT_EQ(empty->status, 204);
  EXPECT_FALSE(empty->headers.has("Content-Length"));
  EXPECT_EQ(ask(client, get("/b"))->body.view(), "GET ");
  EXPECT_EQ(server->connections(), 1U);
}

TEST_F(HttpTest, a_handler_that_throws_or_says_nothing_gives_500) {
  start();
  Client client(loop, tcp());
  EXPECT_EQ(ask(client, get("/throw"))->status, 500);
  EXPECT_EQ(ask(client, get("/silent"))->status, 500);
  EXPECT_EQ(ask(client, get("/a"))->status, 200);
}

TEST_F(HttpTest, pipelined_requests_are_answered_in_order) {
  start();
  RawClient client(port);
  client.send(
      "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\nGET /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return client.is_closed(); }));
  auto const& text = client.received();
  EXPECT_LT(text.find("X-Path: /1"), text.find("X-Path: /2"));
  EXPECT_LT(text.find("X-Path: /2"), text.find("X-Path: /3"));
  EXPECT_NE(text.find("X-Path: /3"), std::string::npos);
}

TEST_F(HttpTest, a_header_value_cannot_add_a_header) {
  options.fast_handler = [](Request const&) { return Response{.status = 200, .headers = {{"Location", "/a\r\nX-Evil: 1"}}, .body = "x"}; };
  start();
  Client client(loop, tcp());
  auto const answer = ask(client, get("/a"));
  EXPECT_FALSE(answer->headers.has("X-Evil"));
  EXPECT_EQ(answer->headers.get("Location"), "/a  X-Evil: 1");
}

TEST_F(HttpTest, a_half_closed_client_still_gets_its_answer) {
  start();
  RawClient client(port);
  client.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  client.half_close();
  ASSERT_TRUE(eventually([&] { return requests.size() == 1; }));
  more.notify();
  ASSERT_TRUE(eventually([&] { return client.is_closed(); }));
  EXPECT_THAT(client.received(), StartsWith("HTTP/1.1 200 OK"));
}

}  // namespace
}  // namespace davit::http
