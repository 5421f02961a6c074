// Against real sockets on loopback.
#include "adapters/prober/net_prober.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/core.h>
#include <boost/asio/ip/tcp.hpp>

#include "http/server.hpp"

namespace davit::prober {
namespace asio = boost::asio;
namespace {

using testing::HasSubstr;

class NetProberTest : public testing::Test {
 protected:
  ~NetProberTest() override {
    prober_.stop();
    EXPECT_TRUE(loop_.run_until([this] { return prober_.is_stopped(); }, 20s));
  }

  Status probe(std::uint16_t port, std::optional<std::string> path, Duration limit = 10s) {
    std::optional<Status> outcome;
    prober_.probe({.host = "127.0.0.1", .port = port, .path = std::move(path)}, loop_.now().monotonic + limit,
                  [&outcome](Status status) { outcome = std::move(status); });
    EXPECT_FALSE(outcome) << "not inside the call";
    EXPECT_TRUE(loop_.run_until([&outcome] { return outcome.has_value(); }, 20s));
    return outcome.value_or(fail(Code::Internal, "no outcome"));
  }
  // Accepts connections in the kernel's queue, and says nothing.
  asio::ip::tcp::acceptor listen() { return {loop_.context(), {asio::ip::make_address("127.0.0.1"), 0}}; }

  runtime::AsioLoop loop_;
  NetProber prober_{loop_};
};

TEST_F(NetProberTest, is_content_with_a_connection) {
  auto const silent = listen();
  EXPECT_TRUE(probe(silent.local_endpoint().port(), {}));
}

TEST_F(NetProberTest, goes_by_the_status_of_the_answer) {
  http::ServerOptions options;
  options.fast_handler = [](http::Request const& request) -> std::optional<http::Response> {
    return http::Response{.status = request.path == "/moved" ? 302 : request.path == "/healthz" ? 204 : 503, .headers = {}, .body = {}};
  };
  http::Server server(loop_, std::move(options));
  auto const port = server.listen_tcp("127.0.0.1", 0);
  ASSERT_TRUE(port);
  EXPECT_TRUE(probe(*port, "/healthz"));
  EXPECT_TRUE(probe(*port, "/moved"));
  EXPECT_EQ(probe(*port, "/").error().message, "GET / answers 503");
  bool is_stopped = false;
  server.stop([&is_stopped] { is_stopped = true; });
  EXPECT_TRUE(loop_.run_until([&is_stopped] { return is_stopped; }, 20s));
}

TEST_F(NetProberTest, says_why_there_is_none) {
  auto gone = listen();
  auto const port = gone.local_endpoint().port();
  gone.close();
  EXPECT_THAT(probe(port, {}).error().message, HasSubstr("refused"));
  EXPECT_THAT(probe(port, "/").error().message, HasSubstr("GET /"));
}

TEST_F(NetProberTest, waits_for_an_answer_until_the_deadline) {
  auto const silent = listen();
  auto const outcome = probe(silent.local_endpoint().port(), "/", 50ms);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::Deadline);
}

}  // namespace
}  // namespace davit::prober
