// For the tests of http/: a server with a handler of every kind, and a client that speaks no HTTP of its own.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
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

inline boost::asio::awaitable<void> keep_response(Client* client, Request request, Monotonic deadline,
                                                  std::optional<Result<Response>>* kept) {
  *kept = co_await client->async_request(std::move(request), deadline);
}

// Keeps what comes, and how it ended.
struct Reading {
  std::optional<Result<int>> opened;
  std::string text;
  std::optional<Status> ended;
};
inline boost::asio::awaitable<void> read_stream(Client* client, Request request, Monotonic deadline, Reading* reading) {
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

  bool eventually(std::function<bool()> const& condition) { return loop.run_until(condition, 20s); }
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

  boost::asio::awaitable<void> async_handle(Request request, ResponseWriter* writer) {
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
  boost::asio::awaitable<void> async_stream(ResponseWriter* writer) {
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
  Result<Response> ask(Client& client, Request request, Duration limit = 15s) {
    std::optional<Result<Response>> kept;
    runtime::spawn(*gate, "ask", keep_response(&client, std::move(request), in(limit), &kept));
    EXPECT_TRUE(eventually([&] { return kept.has_value(); }));
    return kept.value_or(fail(Code::Internal, "no answer"));
  }
};

inline Request get(std::string target) { return {.method = "GET", .target = std::move(target)}; }

inline constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

}  // namespace davit::http
