// The client: connections that are shared, die and are replaced; answers that are cut or never come.
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "http/http_harness.hpp"

namespace davit::http {
namespace {

using testing::HasSubstr;

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
  options.idle_timeout = 300ms;
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
    auto const got = ask_scripted(client, script, {.method = method, .target = "/"}, 300ms);
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

}  // namespace
}  // namespace davit::http
