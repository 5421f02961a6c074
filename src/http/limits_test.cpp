// What a server refuses, cuts off and holds out.
#include <sys/resource.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <fmt/core.h>

#include "http/http_harness.hpp"

namespace davit::http {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct Refused {
  std::string_view name;
  std::string request;
  int status;
};
struct RefusalTest : HttpTest, testing::WithParamInterface<Refused> {};

TEST_P(RefusalTest, is_answered_and_closed) {
  options.on_protocol_error = [](int status, std::string detail) {
    return Response{.status = status, .headers = {{"Content-Type", "application/problem+json"}}, .body = "{\"detail\":\"" + detail + "\"}"};
  };
  options.header_timeout = 50ms;
  options.body_timeout = 50ms;
  start();
  RawClient client(port);
  client.send(GetParam().request);
  ASSERT_TRUE(eventually([&] { return client.received().find("detail") != std::string::npos; })) << client.received();
  EXPECT_THAT(client.received(), StartsWith(fmt::format("HTTP/1.1 {} ", GetParam().status)));
  EXPECT_THAT(client.received(), HasSubstr("Content-Type: application/problem+json\r\n"));
  EXPECT_THAT(client.received(), HasSubstr("Connection: close\r\n"));
  EXPECT_TRUE(eventually([&] { return client.is_closed(); }));
  EXPECT_TRUE(requests.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Http, RefusalTest,
    testing::Values(Refused{"garbage", "hello\r\n\r\n", 400}, Refused{"no_host", "GET / HTTP/1.1\r\n\r\n", 400},
                    Refused{"bad_target", "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400},
                    Refused{"nul_in_target", "GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
                    Refused{"two_lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400},
                    Refused{"length_and_chunked",
                            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
                    Refused{"large_header", "GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(20'000, 'a') + "\r\n\r\n", 431},
                    Refused{"endless_header", "GET /" + std::string(40'000, 'a'), 431},
                    Refused{"large_body_announced", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n", 413},
                    Refused{"large_body_expected", "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9999999\r\n\r\n",
                            413},
                    Refused{"large_body_chunked",
                            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n" + std::string(0x110000, 'a'), 413},
                    Refused{"slow_header", "GET / HTTP/1.1\r\nHos", 408},
                    Refused{"slow_body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab", 408}),
    [](auto const& about) { return std::string(about.param.name); });

TEST_F(HttpTest, continue_is_said_before_the_body_is_read) {
  start();
  RawClient client(port);
  client.send("POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return client.received() == "HTTP/1.1 100 Continue\r\n\r\n"; }));
  client.send("abc");
  EXPECT_TRUE(eventually([&] { return client.received().find("POST abc") != std::string::npos; }));
}

TEST_F(HttpTest, an_idle_connection_is_closed) {
  options.idle_timeout = 300ms;
  start();
  RawClient silent(port);
  RawClient served(port);
  served.send(kGet);
  EXPECT_TRUE(eventually([&] { return silent.is_closed() && served.is_closed(); }));
  EXPECT_THAT(served.received(), HasSubstr("200 OK"));
  EXPECT_TRUE(eventually([&] { return server->connections() == 0; }));
}

TEST_F(HttpTest, a_client_that_does_not_read_is_cut_off) {
  options.write_timeout = 50ms;
  start();
  RawClient client(port);
  client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(eventually([&] { return stream_ended && server->connections() == 0; }));
}

TEST_F(HttpTest, others_are_served_while_the_limit_is_held_by_idle_connections) {
  options.max_connections = 4;
  start();
  std::vector<RawClient> idle;
  for (int i = 0; i < 20; ++i) idle.emplace_back(port);
  Client client(loop, tcp());
  EXPECT_EQ(ask(client, get("/a"))->status, 200);
  EXPECT_TRUE(eventually([&] { return server->connections() <= 4; }));
}

TEST_F(HttpTest, beyond_the_limit_of_busy_connections_there_is_503) {
  options.max_connections = 1;
  start();
  RawClient busy(port);
  busy.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return requests.size() == 1; }));
  RawClient late(port);
  ASSERT_TRUE(eventually([&] { return late.is_closed(); }));
  EXPECT_THAT(late.received(), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(late.received(), HasSubstr("Retry-After: 1\r\n"));
}

TEST_F(HttpTest, accepting_goes_on_after_the_files_have_run_out) {
#if __has_feature(address_sanitizer)
  GTEST_SKIP() << "NOT RUN under sanitizers: they need descriptors of their own to look at a type for the first time";
#endif
  start();
  RawClient client(port);  // the kernel has accepted it, the server not yet
  client.send(kGet);
  int const next = ::dup(0);
  ::close(next);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit const tight{.rlim_cur = static_cast<rlim_t>(next), .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  std::size_t turns = 0;
  EXPECT_FALSE(loop.run_until([&] { return ++turns > 100 || server->connections() > 0; }, 150ms)) << "a busy loop";
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(eventually([&] { return client.received().find("200 OK") != std::string::npos; }));
}

}  // namespace
}  // namespace davit::http
