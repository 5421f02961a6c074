// The calls to servers, against one that plays a script over real sockets.
#include "cli/session.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include <fmt/core.h>

#include "cli/event_stream.hpp"

namespace davit::cli {
namespace {

// Answers one request per connection, in order; "" closes it without an answer. wait() gives the requests.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::vector<std::string> answers) : answers_(std::move(answers)), socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(socket_, 8), 0);
    socklen_t size = sizeof address;
    EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~ScriptedServer() {
    ::shutdown(socket_, SHUT_RDWR);  // ends an accept() that waits
    if (thread_.joinable()) thread_.join();
    ::close(socket_);
  }

  std::string host() const { return fmt::format("127.0.0.1:{}", port_); }
  std::vector<std::string> const& wait() {
    thread_.join();
    return requests_;
  }

 private:
  void serve() {
    for (auto const& answer : answers_) {
      int const peer = ::accept(socket_, nullptr, nullptr);
      if (peer < 0) return;
      requests_.push_back(read_request(peer));
      if (!answer.empty()) EXPECT_EQ(::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL), static_cast<ssize_t>(answer.size()));
      ::close(peer);
    }
  }
  static std::string read_request(int peer) {
    std::string text;
    char buffer[4096];
    while (!text.contains("\r\n\r\n") || (text.starts_with("PUT") && !text.ends_with('}'))) {
      auto const count = ::recv(peer, buffer, sizeof buffer, 0);
      if (count <= 0) break;
      text.append(buffer, static_cast<std::size_t>(count));
    }
    return text;
  }

  std::vector<std::string> answers_;
  std::vector<std::string> requests_;
  int socket_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

std::string answer(std::string_view status, std::string_view body, std::string_view headers = {}) {
  return fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\nConnection: close\r\n{}\r\n{}", status, body.size(), headers, body);
}

std::string header(std::string const& request, std::string const& name) {
  auto const at = request.find(name + ": ");
  return at == std::string::npos ? "" : request.substr(at + name.size() + 2, request.find("\r\n", at) - at - name.size() - 2);
}

std::unique_ptr<Session> open(std::string const& hosts) {
  Invocation invocation;
  invocation.add("host", hosts);
  auto session = Session::open(invocation);
  EXPECT_TRUE(session) << session.error().message;
  return *std::move(session);
}

constexpr char const* kNobody = "127.0.0.1:1";

TEST(Session, SendsAWriteAgainWithTheSameKeyWhenTheConnectionBroke) {
  ScriptedServer server({"", answer("200 OK", R"({"name":"web"})", "ETag: \"4\"\r\n")});
  auto const session = open(server.host());
  auto const got = session->call_blocking(
      {.method = "PUT", .target = "/services/web", .body = codec::Value::object({{"instances", 3}}), .if_match = "\"3\""});
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->body.at("name").text(), "web");
  EXPECT_EQ(got->etag(), "\"4\"");
  auto const& requests = server.wait();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_FALSE(header(requests[0], "Idempotency-Key").empty());
  EXPECT_EQ(header(requests[0], "Idempotency-Key"), header(requests[1], "Idempotency-Key"));
  EXPECT_EQ(header(requests[1], "If-Match"), "\"3\"");
  EXPECT_TRUE(requests[1].ends_with(R"({"instances":3})"));
}

TEST(Session, TriesTheNextServer) {
  ScriptedServer server({answer("200 OK", "[]")});
  auto const session = open(std::string(kNobody) + "," + server.host());
  EXPECT_TRUE(session->call_blocking({.target = "/services"}));
}

TEST(Session, WaitsWhenAskedTo) {
  ScriptedServer server({answer("503 Service Unavailable", "{}", "Retry-After: 1\r\n"), answer("200 OK", "[]")});
  auto const session = open(server.host());
  EXPECT_TRUE(session->call_blocking({.target = "/services"}));
}

TEST(Session, GivesTheServersProblem) {
  ScriptedServer server(
      {answer("422 Unprocessable Entity",
              R"({"title":"Invalid spec","code":"invalid_spec","errors":[{"pointer":"#/a","detail":"no such field"}]})")});
  auto const session = open(server.host());
  auto const got =
      session->call_blocking({.target = "/x", .place_name = [](std::string_view pointer) { return "<" + std::string(pointer) + ">"; }});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error(), (Error{Code::Invalid, "Invalid spec\n  <#/a>: no such field", "invalid_spec"}));
  EXPECT_EQ(exit_code(got.error()), 1);
}

TEST(Session, TellsThatNobodyIsThere) {
  auto const got = open(kNobody)->call_blocking({.target = "/services"});
  ASSERT_FALSE(got);
  EXPECT_EQ(exit_code(got.error()), 4);
}

TEST(Session, FollowsTheLinksOfAList) {
  ScriptedServer server({answer("200 OK", "[1,2]", "Link: </services?after=2>; rel=\"next\"\r\n"), answer("200 OK", "[3]")});
  auto const session = open(server.host());
  auto const list = session->list_blocking("/services");
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_EQ(list->items().size(), 3U);
  EXPECT_TRUE(server.wait()[1].starts_with("GET /services?after=2 "));
}

TEST(Session, FollowsEventsFromTheLastOneAfterALoss) {
  auto const events = [](std::string_view body) {
    return fmt::format("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n{}", body);
  };
  ScriptedServer server({events("id: n1.7\nevent: a\ndata: {}\n\n"), events("id: n1.8\nevent: b\ndata: {}\n\n"),
                         answer("404 Not Found", R"({"title":"Gone","code":"not_found"})")});
  auto const session = open(server.host());
  std::string types;
  int gaps = 0;
  auto const ended = session->run_blocking(
      "events",
      async_follow_events(session.get(), "/events", [&](ServerEvent const& event) { types += event.type; }, [&](Error const&) { ++gaps; }));
  EXPECT_FALSE(ended);
  EXPECT_EQ(types, "ab");
  EXPECT_EQ(gaps, 2);
  EXPECT_EQ(header(server.wait()[1], "Last-Event-ID"), "n1.7");
}

TEST(Session, RefusesWordsThatAreNoHost) {
  Invocation invocation;
  invocation.add("host", "ftp://x");
  auto const session = Session::open(invocation);
  ASSERT_FALSE(session);
  EXPECT_EQ(exit_code(session.error()), 2);
}

TEST(EventReader, ReadsEventsHoweverTheyAreCut) {
  std::string_view const text = ": hello\r\n\r\nid: 1\r\nevent: a\r\ndata: x\r\ndata: y\r\n\r\ndata:z\n\n";
  std::vector<ServerEvent> const expected{{"1", "a", "x\ny"}, {"1", "message", "z"}};
  for (std::size_t cut = 1; cut < text.size(); ++cut) {
    EventReader reader;
    auto events = reader.feed(text.substr(0, cut));
    for (auto& event : reader.feed(text.substr(cut))) events.push_back(std::move(event));
    EXPECT_EQ(events, expected) << "cut at " << cut;
  }
}

}  // namespace
}  // namespace davit::cli
