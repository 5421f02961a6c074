#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/client.hpp"
#include "http/server.hpp"
#include "http/url.hpp"
#include "runtime/gate.hpp"
#include "runtime/wakeup.hpp"

namespace davit::http {
namespace {

namespace asio = boost::asio;
using testing::HasSubstr;
using testing::StartsWith;

// A client that does what it wants: bytes in, bytes out, no HTTP of its own.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~RawClient() { close(); }
  RawClient(RawClient&& other) noexcept : socket_(std::exchange(other.socket_, -1)), connected_(other.connected_) {}
  RawClient& operator=(RawClient&&) = delete;

  void send(std::string_view bytes) const { (void)::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  void half_close() const { ::shutdown(socket_, SHUT_WR); }
  void close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }
  // Everything so far.
  std::string const& received() {
    std::array<char, 4096> bytes{};
    for (;;) {
      auto const count = ::recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (count == 0 || (count < 0 && errno != EAGAIN)) closed_ = true;
      if (count <= 0) return received_;
      received_.append(bytes.data(), static_cast<std::size_t>(count));
    }
  }
  bool is_closed() {
    received();
    return closed_;
  }
  bool is_connected() const { return connected_; }

 private:
  int socket_;
  bool connected_ = false;
  bool closed_ = false;
  std::string received_;
};

asio::awaitable<void> keep_response(Client* client, Request request, Monotonic deadline, std::optional<Result<Response>>* kept) {
  *kept = co_await client->async_request(std::move(request), deadline);
}

// Keeps what comes, and how it ended.
struct Reading {
  std::optional<Result<int>> opened;
  std::string text;
  std::optional<Status> ended;
};
asio::awaitable<void> read_stream(Client* client, Request request, Monotonic deadline, Reading* reading) {
  auto stream = co_await client->async_open(std::move(request), deadline);
  if (!stream) {
    reading->opened = std::unexpected(stream.error());
    co_return;
  }
  reading->opened = stream->status();
  for (;;) {
    auto bytes = co_await stream->async_read();
    if (!bytes) reading->ended = std::unexpected(bytes.error());
    else if (bytes->empty()) reading->ended = Status{};
    else reading->text += *bytes;
    if (reading->ended) co_return;
  }
}

struct HttpTest : testing::Test {
  runtime::AsioLoop loop;
  std::string directory = [] {
    std::string name = (std::filesystem::temp_directory_path() / "davit-http-XXXXXX").string();
    return std::string(::mkdtemp(name.data()));
  }();
  std::string socket_path = directory + "/http.sock";
  ServerOptions options{.stop_grace = 20ms};
  std::unique_ptr<Server> server;
  std::uint16_t port = 0;
  std::vector<Request> requests;  // what handlers saw
  bool stream_started = false;
  bool stream_ended = false;
  runtime::Wakeup more{loop};  // lets a stream write another chunk
  std::unique_ptr<runtime::Gate> gate = std::make_unique<runtime::Gate>(loop);

  bool eventually(std::function<bool()> const& condition) { return loop.run_until(condition, 5s); }
  Monotonic in(Duration wait) { return loop.now().monotonic + wait; }

  void start() {
    if (!options.handler)
      options.handler = [this](Request request, ResponseWriter& writer) { return async_handle(std::move(request), &writer); };
    server = std::make_unique<Server>(loop, options);
    auto const bound = server->listen_tcp("127.0.0.1", 0);
    ASSERT_TRUE(bound) << bound.error().message;
    port = *bound;
    auto const listening = server->listen_unix(socket_path, 0600);
    ASSERT_TRUE(listening) << listening.error().message;
  }
  void stop_server() {
    if (!server) return;
    bool stopped = false;
    server->stop([&] { stopped = true; });
    ASSERT_TRUE(eventually([&] { return stopped; }));
    server.reset();
  }
  void TearDown() override {
    bool closed = false;
    gate->close([&] { closed = true; });
    EXPECT_TRUE(eventually([&] { return closed; }));
    gate.reset();
    stop_server();
    std::filesystem::remove_all(directory);
  }

  asio::awaitable<void> async_handle(Request request, ResponseWriter* writer) {
    requests.push_back(request);
    if (request.path == "/stream") co_return co_await async_stream(writer);
    if (request.path == "/silent") co_return;
    if (request.path == "/throw") throw std::runtime_error("as the test wants");
    if (request.path == "/wait") co_await more.async_wait();
    if (request.path == "/large") {
      auto const large = std::make_shared<std::string const>(std::string(8 << 20, 'x'));
      (void)co_await writer->async_send({.status = 200, .headers = {}, .body = large});
      stream_ended = true;
      co_return;
    }
    int const status = request.path == "/empty" ? 204 : 200;
    (void)co_await writer->async_send(
        {.status = status, .headers = {{"X-Path", request.path}}, .body = request.method + " " + request.body});
  }
  asio::awaitable<void> async_stream(ResponseWriter* writer) {
    struct Ending {
      bool& ended;
      ~Ending() { ended = true; }
    } const ending{stream_ended};
    (void)co_await writer->async_begin(200, {{"Content-Type", "text/event-stream"}});
    stream_started = true;
    for (int i = 0; i < 3; ++i) {
      co_await more.async_wait();
      (void)co_await writer->async_write(fmt::format("chunk {}\n", i));
    }
    (void)co_await writer->async_end();
  }

  Endpoint tcp() const { return *parse_endpoint(fmt::format("127.0.0.1:{}", port)); }
  Endpoint unix_socket() const { return *parse_endpoint("unix://" + socket_path); }
  Result<Response> ask(Client& client, Request request, Duration limit = 3s) {
    std::optional<Result<Response>> kept;
    runtime::spawn(*gate, "ask", keep_response(&client, std::move(request), in(limit), &kept));
    EXPECT_TRUE(eventually([&] { return kept.has_value(); }));
    return kept.value_or(fail(Code::Internal, "no answer"));
  }
};

Request get(std::string target) { return {.method = "GET", .target = std::move(target)}; }

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

// ---- Exchanges ------------------------------------------------------------------------------------------------------

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

// ---- Limits ---------------------------------------------------------------------------------------------------------

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
  options.idle_timeout = 30ms;
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

// ---- Streams --------------------------------------------------------------------------------------------------------

TEST_F(HttpTest, a_stream_comes_chunk_by_chunk_and_the_connection_lives_on) {
  start();
  RawClient client(port);
  client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  for (int i = 0; i < 3; ++i) {
    more.notify();
    ASSERT_TRUE(eventually([&] { return client.received().find(fmt::format("8\r\nchunk {}\n\r\n", i)) != std::string::npos; }));
  }
  ASSERT_TRUE(eventually([&] { return client.received().ends_with("0\r\n\r\n"); }));
  client.send(kGet);
  EXPECT_TRUE(eventually([&] { return client.received().find("X-Path: /a") != std::string::npos; }));
}

TEST_F(HttpTest, a_request_sent_during_a_stream_is_answered_after_it) {
  start();
  RawClient client(port);
  client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return stream_started; }));
  client.send(kGet);
  for (int i = 0; i < 3; ++i) {
    more.notify();
    ASSERT_TRUE(eventually([&] { return client.received().find(fmt::format("chunk {}\n", i)) != std::string::npos; }));
  }
  EXPECT_TRUE(eventually([&] { return client.received().find("X-Path: /a") != std::string::npos; }));
}

TEST_F(HttpTest, a_client_leaving_ends_an_idle_stream) {
  start();
  RawClient client(port);
  client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return stream_started; }));
  EXPECT_FALSE(stream_ended);
  client.close();
  EXPECT_TRUE(eventually([&] { return stream_ended && server->connections() == 0; }));
}

TEST_F(HttpTest, an_http_1_0_client_reads_a_stream_to_the_end_of_the_connection) {
  start();
  RawClient client(port);
  client.send("GET /stream HTTP/1.0\r\n\r\n");
  for (int i = 0; i < 3; ++i) {
    more.notify();
    ASSERT_TRUE(eventually([&] { return client.received().find(fmt::format("chunk {}\n", i)) != std::string::npos; }));
  }
  ASSERT_TRUE(eventually([&] { return client.is_closed(); }));
  EXPECT_TRUE(client.received().ends_with("\r\n\r\nchunk 0\nchunk 1\nchunk 2\n")) << client.received();
}

TEST_F(HttpTest, the_client_reads_a_stream) {
  start();
  Client client(loop, unix_socket());
  Reading reading;
  runtime::spawn(*gate, "read", read_stream(&client, get("/stream"), in(3s), &reading));
  ASSERT_TRUE(eventually([&] { return reading.opened.has_value(); }));
  EXPECT_EQ(**reading.opened, 200);
  for (std::string const expected : {"chunk 0\n", "chunk 0\nchunk 1\n", "chunk 0\nchunk 1\nchunk 2\n"}) {
    more.notify();
    ASSERT_TRUE(eventually([&] { return reading.text == expected; }));
  }
  ASSERT_TRUE(eventually([&] { return reading.ended.has_value(); }));
  EXPECT_TRUE(*reading.ended);
}

TEST_F(HttpTest, a_stream_that_breaks_is_not_taken_for_complete) {
  start();
  Client client(loop, tcp());
  Reading reading;
  runtime::spawn(*gate, "read", read_stream(&client, get("/stream"), in(3s), &reading));
  ASSERT_TRUE(eventually([&] { return stream_started; }));
  more.notify();
  ASSERT_TRUE(eventually([&] { return reading.text == "chunk 0\n"; }));
  stop_server();
  ASSERT_TRUE(eventually([&] { return reading.ended.has_value(); }));
  EXPECT_EQ(reading.ended->error().code, Code::Unavailable);
  EXPECT_TRUE(stream_ended);
}

TEST_F(HttpTest, stopping_waits_for_an_answer_under_way) {
  options.stop_grace = 5s;
  start();
  RawClient client(port);
  client.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return requests.size() == 1; }));
  bool stopped = false;
  server->stop([&] { stopped = true; });
  loop.post([&] { more.notify(); });
  ASSERT_TRUE(eventually([&] { return stopped; }));
  EXPECT_THAT(client.received(), HasSubstr("200 OK"));
  EXPECT_THAT(client.received(), HasSubstr("Connection: close"));
  EXPECT_FALSE(std::filesystem::exists(socket_path));
  EXPECT_FALSE(RawClient(port).is_connected());
  server.reset();
}

TEST_F(HttpTest, stopping_does_not_wait_for_ever) {
  start();
  RawClient client(port);
  client.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return requests.size() == 1; }));
  stop_server();
  EXPECT_TRUE(eventually([&] { return client.is_closed(); }));
}

// ---- The client -----------------------------------------------------------------------------------------------------

// Answers each connection's first bytes with given bytes, then closes it or waits.
struct ScriptedServer {
  struct Script {
    std::string answer;
    bool close = true;
  };
  std::vector<Script> scripts;  // one per connection, in order
  int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  std::uint16_t port = 0;
  std::vector<int> sockets;
  std::size_t answered = 0;

  explicit ScriptedServer(std::vector<Script> its_scripts) : scripts(std::move(its_scripts)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener, 8), 0);
    EXPECT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port = ntohs(address.sin_port);
  }
  ~ScriptedServer() {
    for (int const socket : sockets) ::close(socket);
    ::close(listener);
  }
  ScriptedServer(ScriptedServer const&) = delete;
  ScriptedServer& operator=(ScriptedServer const&) = delete;

  void step() {
    if (int const socket = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC); socket >= 0) sockets.push_back(socket);
    std::array<char, 4096> bytes{};
    if (answered >= sockets.size() || ::recv(sockets[answered], bytes.data(), bytes.size(), 0) <= 0) return;
    auto const& script = scripts.at(answered);
    (void)::send(sockets[answered], script.answer.data(), script.answer.size(), MSG_NOSIGNAL);
    if (script.close) ::shutdown(sockets[answered], SHUT_RDWR);
    ++answered;
  }
};

struct ClientTest : HttpTest {
  Result<Response> ask_scripted(Client& client, ScriptedServer& script, Request request, Duration limit = 3s) {
    std::optional<Result<Response>> kept;
    runtime::spawn(*gate, "ask", keep_response(&client, std::move(request), in(limit), &kept));
    EXPECT_TRUE(eventually([&] {
      script.step();
      return kept.has_value();
    }));
    return kept.value_or(fail(Code::Internal, "no answer"));
  }
  Client connect(ScriptedServer const& script, ClientOptions client_options = {}) {
    return Client(loop, *parse_endpoint(fmt::format("127.0.0.1:{}", script.port)), std::move(client_options));
  }
};

TEST_F(ClientTest, requests_share_a_connection) {
  start();
  Client client(loop, unix_socket());
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(client, get("/a"))->status, 200);
  EXPECT_EQ(server->connections(), 1U);
  EXPECT_EQ(client.idle_connections(), 1U);
}

TEST_F(ClientTest, a_connection_that_the_server_has_closed_is_replaced) {
  options.idle_timeout = 30ms;
  start();
  Client client(loop, tcp());
  EXPECT_EQ(ask(client, get("/a"))->status, 200);
  ASSERT_TRUE(eventually([&] { return server->connections() == 0; }));
  EXPECT_EQ(client.idle_connections(), 1U);
  EXPECT_EQ(ask(client, {.method = "POST", .target = "/a"})->status, 200);
}

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

TEST_F(ClientTest, a_connection_that_dies_under_a_get_is_replaced_once) {
  // The second request on the first connection gets a close instead of an answer.
  ScriptedServer script({{std::string(kOk), false}, {std::string(kOk), false}});
  auto client = connect(script);
  ASSERT_EQ(ask_scripted(client, script, get("/a"))->body.view(), "ok");
  std::optional<Result<Response>> kept;
  runtime::spawn(*gate, "ask", keep_response(&client, get("/b"), in(3s), &kept));
  std::array<char, 4096> bytes{};
  ASSERT_TRUE(eventually([&] { return ::recv(script.sockets[0], bytes.data(), bytes.size(), 0) > 0; }));
  ::shutdown(script.sockets[0], SHUT_RDWR);
  ASSERT_TRUE(eventually([&] {
    script.step();
    return kept.has_value();
  }));
  ASSERT_TRUE(*kept) << kept->error().message;
  EXPECT_EQ((*kept)->body.view(), "ok");
  EXPECT_EQ(script.sockets.size(), 2U);
}

TEST_F(ClientTest, a_connection_that_dies_under_a_post_leaves_the_outcome_unknown) {
  ScriptedServer script({{std::string(kOk), false}, {std::string(kOk), false}});
  auto client = connect(script);
  ASSERT_TRUE(ask_scripted(client, script, get("/a")));
  std::optional<Result<Response>> kept;
  runtime::spawn(*gate, "ask", keep_response(&client, {.method = "POST", .target = "/b"}, in(3s), &kept));
  std::array<char, 4096> bytes{};
  ASSERT_TRUE(eventually([&] { return ::recv(script.sockets[0], bytes.data(), bytes.size(), 0) > 0; }));
  ::shutdown(script.sockets[0], SHUT_RDWR);
  ASSERT_TRUE(eventually([&] { return kept.has_value(); }));
  EXPECT_EQ(kept->error().code, Code::UnknownOutcome);
  EXPECT_EQ(script.sockets.size(), 1U);
}

TEST_F(ClientTest, reads_answers_of_every_framing) {
  struct Case {
    std::string answer;
    int status;
    std::string body;
  };
  for (auto const& [answer, status, body] : std::vector<Case>{
           {"HTTP/1.1 200 OK\r\n\r\nto the end", 200, "to the end"},
           {"HTTP/1.0 200 OK\r\n\r\nold", 200, "old"},
           {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", 200, "abcde"},
           {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\nx", 201, "x"},
           {"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n", 304, ""},
           {"HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
           {"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 404, ""}}) {
    ScriptedServer script({{answer, true}});
    auto client = connect(script);
    auto const got = ask_scripted(client, script, get("/"));
    ASSERT_TRUE(got) << answer << ": " << got.error().message;
    EXPECT_EQ(got->status, status);
    EXPECT_EQ(got->body.view(), body);
  }
}

TEST_F(ClientTest, refuses_answers_that_are_cut_or_nonsense) {
  for (std::string const answer : {"", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
                                   "SSH-2.0-x\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"}) {
    ScriptedServer script({{answer, true}});
    auto client = connect(script);
    auto const got = ask_scripted(client, script, get("/"));
    ASSERT_FALSE(got) << answer;
    EXPECT_EQ(got.error().code, Code::Unavailable) << got.error().message;
  }
}

TEST_F(ClientTest, a_body_beyond_the_limit_is_refused) {
  ScriptedServer script({{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabcdefghi", true}});
  auto client = connect(script, {.body_limit = 8});
  EXPECT_EQ(ask_scripted(client, script, get("/")).error().code, Code::Exhausted);
}

TEST_F(ClientTest, no_answer_in_time_tells_whether_it_may_have_been_done) {
  for (auto const& [method, code] : {std::pair{"GET", Code::Deadline}, std::pair{"POST", Code::UnknownOutcome}}) {
    ScriptedServer script({{"", false}});
    auto client = connect(script);
    auto const got = ask_scripted(client, script, {.method = method, .target = "/"}, 30ms);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, code);
    EXPECT_THAT(got.error().message, HasSubstr(std::to_string(script.port)));
  }
}

TEST_F(ClientTest, nobody_there_names_the_endpoint) {
  Client missing(loop, *parse_endpoint("unix://" + directory + "/none.sock"));
  auto const no_file = ask(missing, get("/"));
  EXPECT_EQ(no_file.error().code, Code::Unavailable);
  EXPECT_THAT(no_file.error().message, HasSubstr("none.sock"));

  std::uint16_t free_port = 0;
  {
    ScriptedServer const gone({});
    free_port = gone.port;
  }
  Client refused(loop, *parse_endpoint(fmt::format("127.0.0.1:{}", free_port)));
  auto const no_server = ask(refused, get("/"));
  EXPECT_EQ(no_server.error().code, Code::Unavailable);
  EXPECT_THAT(no_server.error().message, HasSubstr("refused"));
}

TEST_F(ClientTest, a_socket_that_may_not_be_used_is_told_apart) {
  start();
  std::filesystem::permissions(directory, std::filesystem::perms::all);
  bool const is_root = ::geteuid() == 0;
  if (is_root) {
    ASSERT_EQ(::seteuid(65534), 0);  // root may use every socket
  } else {
    ASSERT_EQ(::chmod(socket_path.c_str(), 0), 0);
  }
  Client client(loop, unix_socket());
  auto const got = ask(client, get("/"));
  if (is_root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Code::Unavailable);
  EXPECT_EQ(got.error().field, "permission");
  EXPECT_EQ(got.error().message, "permission denied on unix://" + socket_path);
}

TEST_F(ClientTest, may_be_destroyed_while_a_request_is_under_way) {
  ScriptedServer script({{std::string(kOk), false}});
  auto client = std::make_unique<Client>(loop, *parse_endpoint(fmt::format("127.0.0.1:{}", script.port)));
  std::optional<Result<Response>> kept;
  runtime::spawn(*gate, "ask", keep_response(client.get(), get("/"), in(3s), &kept));
  ASSERT_TRUE(eventually([&] { return gate->count() == 1 && ::recv(script.listener, nullptr, 0, 0) < 0; }));
  loop.post([&] { loop.post([&] { client.reset(); }); });
  EXPECT_TRUE(eventually([&] {
    script.step();
    return kept.has_value();
  }));
  EXPECT_TRUE(*kept);
}

// ---- Listening ------------------------------------------------------------------------------------------------------

TEST_F(HttpTest, a_taken_port_and_a_bad_address_are_named) {
  start();
  auto const taken = server->listen_tcp("127.0.0.1", port);
  EXPECT_EQ(taken.error().code, Code::Unavailable);
  EXPECT_THAT(taken.error().message, HasSubstr(std::to_string(port)));
  EXPECT_EQ(server->listen_tcp("example", 0).error().code, Code::Invalid);
}

TEST_F(HttpTest, a_socket_file_is_taken_over_only_when_nobody_listens) {
  {
    int const dead = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket_path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    ASSERT_EQ(::bind(dead, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    ::close(dead);
  }
  start();
  struct stat info{};
  ASSERT_EQ(::stat(socket_path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  Server other(loop, {});
  auto const refused = other.listen_unix(socket_path, 0600);
  EXPECT_EQ(refused.error().code, Code::Unavailable);
  std::string const file = directory + "/file";
  std::ofstream(file) << "precious";
  EXPECT_FALSE(other.listen_unix(file, 0600));
  EXPECT_TRUE(std::filesystem::is_regular_file(file));
}

}  // namespace
}  // namespace davit::http
