// Against real sockets on loopback.
#include "adapters/ingress/ingress_proxy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "adapters/ingress/ingress_harness.hpp"

namespace davit::ingress {
namespace {

using model::Protocol;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

class IngressProxyTest : public testing::Test {
 protected:
  struct Instance {
    std::uint64_t id = 0;
    std::uint16_t port = 0;
    std::string node = "n1";
  };

  void start(Limits limits = {}) { proxy_ = std::make_unique<IngressProxy>(Options{.node = "n1", .threads = 2, .limits = limits}); }

  // The service web, with its instances, behind one port.
  void show(std::vector<Instance> const& instances) {
    auto entry = std::make_shared<model::ServiceEntry>();
    for (auto const& each : instances) {
      entry->endpoints.push_back({.instance = {each.id},
                                  .slot = static_cast<std::uint32_t>(each.id),
                                  .node = each.node,
                                  .address = "127.0.0.1",
                                  .port = each.port,
                                  .target = 80,
                                  .protocol = protocol_});
    }
    entry->ingress.push_back({.published = port_, .target = 80, .protocol = protocol_, .proxy_protocol = proxy_protocol_});
    auto directory = std::make_shared<model::Directory>();
    directory->services["web"] = std::move(entry);
    if (beside_) directory->services["beside"] = beside_;
    show_directory(std::move(directory));
  }
  void show_no_service() { show_directory(std::make_shared<model::Directory>()); }
  void show_directory(std::shared_ptr<model::Directory> directory) {
    if (!proxy_) start();
    // A service of its own tells when this directory has been carried out.
    auto mark = std::make_shared<model::ServiceEntry>();
    mark->ingress.push_back({.published = free_port(), .target = 80});
    auto const name = "mark" + std::to_string(++shown_);
    directory->services[name] = std::move(mark);
    proxy_->show(std::move(directory));
    wait_for([&] { return problem_of(name).empty(); });
  }
  std::string problem_of(std::string const& service) const {
    for (auto const& state : proxy_->ports()) {
      if (state.service == service) return state.problem;
    }
    return "not there";
  }
  std::string problem() const { return problem_of("web"); }
  template <class Condition>
  static void wait_for(Condition const& holds) {
    auto const limit = std::chrono::steady_clock::now() + 20s;
    bool held = holds();
    for (; !held && std::chrono::steady_clock::now() < limit; held = holds()) std::this_thread::sleep_for(1ms);
    EXPECT_TRUE(held);
  }
  runtime::Fd connect() const { return connect_to(port_, protocol_ == Protocol::Tcp ? SOCK_STREAM : SOCK_DGRAM); }
  // Who answers a new connection.
  std::string ask() const {
    auto const client = connect();
    return client ? hear(client, 1) : "refused";
  }
  std::string ask_by_datagram(std::string const& text) const {
    auto const client = connect();
    say(client, text);
    return hear_datagram(client);
  }
  static std::string hear_datagram(runtime::Fd const& client) {
    std::string buffer(1 << 16, '\0');
    auto const count = ::recv(client.get(), buffer.data(), buffer.size(), 0);
    return count < 0 ? std::strerror(errno) : buffer.substr(0, static_cast<std::size_t>(count));
  }

  std::uint16_t port_ = free_port();
  Protocol protocol_ = Protocol::Tcp;
  bool proxy_protocol_ = false;
  std::shared_ptr<model::ServiceEntry> beside_;
  std::unique_ptr<IngressProxy> proxy_;
  int shown_ = 0;
};

TEST_F(IngressProxyTest, carries_bytes_both_ways_unchanged) {
  EchoServer const server('a');
  show({{1, server.port()}});
  std::string bytes(8 << 20, '\0');
  std::uint32_t state = 1;
  for (auto& byte : bytes) byte = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  auto const client = connect();
  std::thread writer([&] {
    EXPECT_TRUE(say(client, bytes));
    ::shutdown(client.get(), SHUT_WR);
  });
  int error = -1;
  auto const answer = hear_all(client, &error);
  writer.join();
  EXPECT_EQ(error, 0);
  EXPECT_EQ(answer.size(), bytes.size() + 1);
  EXPECT_TRUE(answer == "a" + bytes);
}

TEST_F(IngressProxyTest, passes_on_the_end_of_one_direction_and_keeps_the_other_open) {
  auto const listener = bound(SOCK_STREAM);
  show({{1, port_of(listener)}});
  auto const client = connect();
  say(client, "question");
  ::shutdown(client.get(), SHUT_WR);
  runtime::Fd const server(::accept(listener.get(), nullptr, nullptr));
  EXPECT_EQ(hear_all(server), "question");
  std::this_thread::sleep_for(20ms);
  EXPECT_TRUE(say(server, "answer"));
  ::shutdown(server.get(), SHUT_WR);
  int error = -1;
  EXPECT_EQ(hear_all(client, &error), "answer");
  EXPECT_EQ(error, 0);
}

TEST_F(IngressProxyTest, lets_the_server_end_first) {
  auto const listener = bound(SOCK_STREAM);
  show({{1, port_of(listener)}});
  auto const client = connect();
  runtime::Fd const server(::accept(listener.get(), nullptr, nullptr));
  say(server, "bye");
  ::shutdown(server.get(), SHUT_WR);
  EXPECT_EQ(hear_all(client), "bye");
  EXPECT_TRUE(say(client, "still here"));
  ::shutdown(client.get(), SHUT_WR);
  EXPECT_EQ(hear_all(server), "still here");
}

TEST_F(IngressProxyTest, tries_the_next_instance_when_one_refuses) {
  EchoServer const server('b');
  show({{1, free_port()}, {2, free_port()}, {3, server.port(), "n2"}});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(ask(), "b");
}

TEST_F(IngressProxyTest, tries_the_next_instance_when_one_does_not_answer) {
  auto const deaf = bound(SOCK_STREAM, 0, 0);
  std::vector<runtime::Fd> fill;  // its queue, so that it answers nobody
  for (int i = 0; i < 4; ++i) {
    fill.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    auto const address = loopback(port_of(deaf));
    ::connect(fill.back().get(), reinterpret_cast<sockaddr const*>(&address), sizeof(address));
  }
  EchoServer const server('b');
  show({{1, port_of(deaf)}, {2, server.port(), "n2"}});
  auto const begin = std::chrono::steady_clock::now();
  EXPECT_EQ(ask(), "b");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, Connection::kConnectLimit + 1s);
}

TEST_F(IngressProxyTest, passes_over_an_instance_that_ends_connections_without_a_word) {
  auto const mute = bound(SOCK_STREAM);
  EchoServer const server('b');
  show({{1, port_of(mute)}, {2, server.port(), "n2"}});
  auto const client = connect();
  runtime::Fd(::accept(mute.get(), nullptr, nullptr)).reset();
  EXPECT_EQ(hear_all(client), "");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(), "b");
}

TEST_F(IngressProxyTest, prefers_this_node_and_spreads_over_its_instances) {
  EchoServer const a('a');
  EchoServer const b('b');
  EchoServer const c('c');
  show({{1, c.port(), "n2"}, {2, a.port()}, {3, b.port()}});
  std::vector<runtime::Fd> open;
  std::map<std::string, int> count;
  for (int i = 0; i < 10; ++i) {
    open.push_back(connect());
    ++count[hear(open.back(), 1)];
  }
  EXPECT_THAT(count, testing::ElementsAre(testing::Pair("a", 5), testing::Pair("b", 5)));
}

TEST_F(IngressProxyTest, passes_on_that_a_connection_was_reset) {
  auto const listener = bound(SOCK_STREAM);
  show({{1, port_of(listener)}});
  auto client = connect();
  runtime::Fd server(::accept(listener.get(), nullptr, nullptr));
  say(client, "x");
  EXPECT_EQ(hear(server, 1), "x");
  reset(std::move(server));
  int error = 0;
  hear_all(client, &error);
  EXPECT_EQ(error, ECONNRESET);

  client = connect();
  server = runtime::Fd(::accept(listener.get(), nullptr, nullptr));
  say(client, "x");
  EXPECT_EQ(hear(server, 1), "x");
  reset(std::move(client));
  error = 0;
  hear_all(server, &error);
  EXPECT_EQ(error, ECONNRESET);
}

TEST_F(IngressProxyTest, notices_a_reset_behind_an_end) {
  auto const listener = bound(SOCK_STREAM);
  show({{1, port_of(listener)}});
  auto client = connect();
  ::shutdown(client.get(), SHUT_WR);
  runtime::Fd const server(::accept(listener.get(), nullptr, nullptr));
  EXPECT_EQ(hear_all(server), "");
  reset(std::move(client));
  wait_for([&] { return !say(server, "x"); });
}

TEST_F(IngressProxyTest, lets_connections_to_an_instance_that_leaves_go_on_and_sends_new_ones_elsewhere) {
  EchoServer const a('a');
  EchoServer const b('b');
  show({{1, a.port()}});
  auto const old = connect();
  EXPECT_EQ(hear(old, 1), "a");
  show({{2, b.port()}});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(), "b");
  say(old, "still");
  EXPECT_EQ(hear(old, 5), "still");
}

TEST_F(IngressProxyTest, keeps_the_connections_of_a_service_that_is_removed) {
  EchoServer const a('a');
  show({{1, a.port()}});
  auto const old = connect();
  EXPECT_EQ(hear(old, 1), "a");
  show_no_service();
  EXPECT_EQ(ask(), "refused");
  say(old, "still");
  EXPECT_EQ(hear(old, 5), "still");
  show({{1, a.port()}});
  EXPECT_EQ(ask(), "a") << "at once";
}

TEST_F(IngressProxyTest, lets_a_client_wait_for_the_first_instance) {
  show({});
  auto const client = connect();
  ASSERT_TRUE(client);
  std::this_thread::sleep_for(100ms);
  EchoServer const a('a');
  show({{1, a.port()}});
  EXPECT_EQ(hear(client, 1), "a");
}

TEST_F(IngressProxyTest, resets_a_client_that_has_waited_in_vain) {
  show({{1, free_port()}});
  auto const begin = std::chrono::steady_clock::now();
  auto const client = connect();
  int error = 0;
  hear_all(client, &error);
  EXPECT_EQ(error, ECONNRESET);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, Connection::kSeekFor);
}

TEST_F(IngressProxyTest, tells_the_client_s_address_first_where_that_is_asked_for) {
  auto const listener = bound(SOCK_STREAM);
  proxy_protocol_ = true;
  show({{1, port_of(listener)}});
  auto const client = connect();
  say(client, "hello");
  runtime::Fd const server(::accept(listener.get(), nullptr, nullptr));
  auto const from = port_of(client);
  std::string expected("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\1\x7f\0\0\1", 24);
  for (auto const port : {from, port_}) {
    expected += static_cast<char>(port >> 8);
    expected += static_cast<char>(port & 0xff);
  }
  EXPECT_EQ(hear(server, 33), expected + "hello");
}

TEST_F(IngressProxyTest, carries_datagrams_and_answers_them) {
  protocol_ = Protocol::Udp;
  DatagramServer const a('a');
  show({{1, a.port()}});
  auto const client = connect();
  for (auto const& text : std::vector<std::string>{"one", "two", "", std::string(9'000, 'x')}) {
    say(client, text);
    if (!text.empty()) EXPECT_EQ(hear_datagram(client), "a" + text);
  }
  EXPECT_EQ(ask_by_datagram("another client"), "aanother client");
}

TEST_F(IngressProxyTest, says_a_datagram_again_to_the_next_instance_when_one_refuses_it) {
  protocol_ = Protocol::Udp;
  DatagramServer const b('b');
  show({{1, free_port(SOCK_DGRAM)}, {2, free_port(SOCK_DGRAM)}, {3, b.port(), "n2"}});
  EXPECT_EQ(ask_by_datagram("x"), "bx");
}

TEST_F(IngressProxyTest, moves_a_client_to_another_instance_when_its_own_is_gone) {
  protocol_ = Protocol::Udp;
  DatagramServer a('a');
  DatagramServer const b('b');
  show({{1, a.port()}, {2, b.port(), "n2"}});
  auto const client = connect();
  say(client, "x");
  EXPECT_EQ(hear_datagram(client), "ax");
  a.stop();
  say(client, "y");
  EXPECT_EQ(hear_datagram(client), "by");
}

TEST_F(IngressProxyTest, says_who_has_the_port_and_takes_it_when_it_is_free) {
  auto other = bound(SOCK_STREAM, port_);
  EchoServer const a('a');
  show({{1, a.port()}});
  EXPECT_THAT(problem(), AllOf(HasSubstr("(process " + std::to_string(::getpid()) + ")"), HasSubstr("another port")));
  other.reset();
  wait_for([this] { return problem().empty(); });
  EXPECT_EQ(ask(), "a");
}

TEST_F(IngressProxyTest, says_the_same_of_a_datagram_port) {
  protocol_ = Protocol::Udp;
  auto other = bound(SOCK_DGRAM, port_);
  show({});
  EXPECT_THAT(problem(), HasSubstr("(process " + std::to_string(::getpid()) + ")"));
}

TEST_F(IngressProxyTest, names_the_instance_that_has_the_port) {
  auto const taken = bound(SOCK_STREAM, port_);
  show({{1, port_}});
  EXPECT_THAT(problem(), AllOf(HasSubstr("instance web.1"), HasSubstr("--port-range")));
}

TEST_F(IngressProxyTest, refuses_connections_beyond_its_limits) {
  EchoServer const a('a');
  start({.connections = 3, .per_port = 2});
  show({{1, a.port()}});
  auto const first = connect();
  auto second = connect();
  EXPECT_EQ(hear(first, 1) + hear(second, 1), "aa");
  int error = 0;
  EXPECT_EQ(hear_all(connect(), &error), "");
  EXPECT_EQ(error, ECONNRESET);
  second.reset();
  wait_for([this] { return ask() == "a"; });
}

// Whoever makes up clients of UDP keeps out others of UDP, and no connections.
TEST_F(IngressProxyTest, counts_clients_of_datagrams_by_themselves) {
  protocol_ = Protocol::Udp;
  DatagramServer const a('a');
  EchoServer const b('b');
  auto const tcp_port = free_port();
  beside_ = std::make_shared<model::ServiceEntry>();
  beside_->endpoints.push_back({.instance = {9}, .slot = 1, .node = "n1", .address = "127.0.0.1", .port = b.port(), .target = 80});
  beside_->ingress.push_back({.published = tcp_port, .target = 80});
  start({.connections = 4, .per_port = 4});
  show({{1, a.port()}});
  auto const first = connect();
  auto const second = connect();
  for (auto const* client : {&first, &second}) say(*client, "x");
  EXPECT_EQ(hear_datagram(first), "ax");
  std::vector<runtime::Fd> connections;
  for (int i = 0; i < 4; ++i) {
    connections.push_back(connect_to(tcp_port, SOCK_STREAM));
    EXPECT_EQ(hear(connections.back(), 1), "b");
  }
  say(first, "y");
  EXPECT_EQ(hear_datagram(first), "ay");
  pollfd waiting{.fd = second.get(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&waiting, 1, 100), 0) << "one is a quarter of four";
}

TEST_F(IngressProxyTest, carries_a_thousand_connections_at_once) {
  EchoServer const a('a');
  EchoServer const b('b');
  show({{1, a.port()}, {2, b.port()}});
  std::vector<runtime::Fd> open;
  for (int i = 0; i < 1'000; ++i) open.push_back(connect());
  for (auto const& client : open) ASSERT_TRUE(client && say(client, "hello"));
  std::map<char, int> count;
  for (auto const& client : open) {
    auto const answer = hear(client, 6);
    ASSERT_EQ(answer.substr(1), "hello");
    ++count[answer[0]];
  }
  EXPECT_EQ(count['a'], 500);
  EXPECT_EQ(count['b'], 500);
}

TEST_F(IngressProxyTest, keeps_each_request_while_instances_come_and_go) {
  EchoServer const a('a');
  EchoServer const b('b');
  show({{1, a.port()}, {2, b.port()}});
  std::atomic<bool> is_over = false;
  std::atomic<int> failed = 0;
  std::atomic<int> done = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      while (!is_over) {
        auto const client = connect();
        bool const is_good = client && say(client, "ping") && hear(client, 5).ends_with("ping");
        ++(is_good ? done : failed);
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    show({{1, a.port()}, {2, b.port()}, {3, free_port()}});
    show({{i % 2 == 0 ? 1U : 2U, i % 2 == 0 ? a.port() : b.port()}});
  }
  is_over = true;
  for (auto& client : clients) client.join();
  EXPECT_EQ(failed, 0);
  EXPECT_GT(done, 0);
}

TEST_F(IngressProxyTest, ends_with_connections_of_every_kind) {
  EchoServer const a('a');
  show({{1, a.port()}});
  auto const carried = connect();
  EXPECT_EQ(hear(carried, 1), "a");
  show({});
  auto const waiting = connect();
  proxy_->stop();
  EXPECT_EQ(hear_all(carried), "");
}

}  // namespace
}  // namespace davit::ingress
