// Against real sockets on loopback; the other resolvers are servers of the same kind.
#include "adapters/dns_server/dns_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "core/dns/dns_harness.hpp"

namespace davit::dns_server {
namespace {

using dns::Asked;
using dns::make_query;
using dns::Message;
using dns::parse_address;
using dns::Told;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using testing::UnorderedElementsAre;

constexpr int kLimit = 10000;  // ms

bool is_readable(runtime::Fd const& socket, int limit = kLimit) {
  pollfd wait{.fd = socket.get(), .events = POLLIN, .revents = 0};
  return poll(&wait, 1, limit) == 1;
}

runtime::Fd connect_to(int kind, std::string const& address, std::uint16_t port) {
  auto const to = to_socket_address(*parse_address(address), port);
  runtime::Fd socket(::socket(to.storage.ss_family, kind | SOCK_CLOEXEC, 0));
  EXPECT_EQ(connect(socket.get(), reinterpret_cast<sockaddr const*>(&to.storage), to.size), 0) << address << ' ' << port;
  return socket;
}

Message receive(runtime::Fd const& socket, int limit = kLimit) {
  if (!is_readable(socket, limit)) return {};
  Message reply(65536);
  auto const size = recv(socket.get(), reply.data(), reply.size(), 0);
  reply.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return reply;
}

void send_all(runtime::Fd const& socket, Message const& message) {
  ASSERT_EQ(send(socket.get(), message.data(), message.size(), 0), static_cast<ssize_t>(message.size()));
}

Message with_length(Message const& message) {
  Message out;
  dns::put16(out, static_cast<unsigned>(message.size()));
  out.insert(out.end(), message.begin(), message.end());
  return out;
}

// One whole message of a TCP connection; empty: it has ended.
Message receive_message(runtime::Fd const& socket) {
  Message length(2);
  if (!is_readable(socket) || recv(socket.get(), length.data(), 2, MSG_WAITALL) != 2) return {};
  Message message(dns::read16(length, 0));
  EXPECT_EQ(recv(socket.get(), message.data(), message.size(), MSG_WAITALL), static_cast<ssize_t>(message.size()));
  return message;
}

// A server with what it needs around it.
class Host {
 public:
  explicit Host(std::string const& domain, std::string address = "127.0.0.1", std::string const& resolvers = {},
                std::uint16_t resolvers_port = 53)
      : address_(std::move(address)) {
    auto pattern = (std::filesystem::temp_directory_path() / "davit-dns-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    set_resolvers(resolvers);
    server_.emplace(Options{.domain = *dns::Name::parse(domain), .resolv_conf = folder_ / "resolv.conf", .resolvers_port = resolvers_port});
    auto const bound = server_->listen(*parse_address(address_), 0);
    EXPECT_TRUE(bound) << bound.error().message;
    port_ = *bound;
  }
  ~Host() {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }
  Host(Host const&) = delete;
  Host& operator=(Host const&) = delete;

  // The file's time tells that it has changed, so each has one of its own.
  void set_resolvers(std::string const& lines) {
    std::ofstream(folder_ / "resolv.conf") << lines;
    std::filesystem::last_write_time(folder_ / "resolv.conf", std::filesystem::file_time_type::clock::now() + ++writes_ * 1s);
  }
  void show(model::Directory directory) { server_->show(std::make_shared<model::Directory const>(std::move(directory))); }
  DnsServer& server() { return *server_; }
  std::uint16_t port() const { return port_; }

  Told ask(Asked const& asked, std::string const& at = {}) const {
    auto const socket = connect_to(SOCK_DGRAM, at.empty() ? address_ : at, port_);
    send_all(socket, make_query(asked));
    return dns::read_reply(receive(socket));
  }
  Told ask_over_tcp(Asked const& asked) const {
    auto const socket = connect_to(SOCK_STREAM, address_, port_);
    send_all(socket, with_length(make_query(asked)));
    return dns::read_reply(receive_message(socket));
  }

 private:
  std::string address_;
  std::filesystem::path folder_;
  int writes_ = 0;
  std::optional<DnsServer> server_;
  std::uint16_t port_ = 0;
};

model::Directory one_service(std::string const& name, std::string const& address, std::uint32_t count = 1) {
  model::Directory directory;
  std::vector<model::Endpoint> endpoints;
  for (std::uint32_t i = 1; i <= count; ++i) {
    auto const of_this = count == 1 ? address : address + std::to_string(i);
    endpoints.push_back(dns::endpoint(i, i, "n", of_this, 20000));
  }
  dns::put_service(directory, name, std::move(endpoints));
  return directory;
}

TEST(DnsServer, answers_over_udp_and_tcp_from_what_it_was_shown_last) {
  Host host("davit");
  EXPECT_EQ(host.ask({"web.davit"}).code, "SERVFAIL");
  host.show(dns::sample_directory());
  EXPECT_THAT(host.ask({"web.davit"}).answer, UnorderedElementsAre("web.davit. 1 IN A 10.0.0.11", "web.davit. 1 IN A 10.0.0.12"));
  EXPECT_THAT(host.ask_over_tcp({"web.davit", dns::type::kSrv}).answer, SizeIs(6));
  host.show(one_service("web", "10.0.0.99"));
  EXPECT_THAT(host.ask({"web.davit"}).answer, ElementsAre("web.davit. 1 IN A 10.0.0.99"));
}

TEST(DnsServer, answers_from_the_address_that_was_asked) {
  Host v4("davit", "0.0.0.0");
  v4.show(one_service("web", "10.0.0.1"));
  EXPECT_THAT(v4.ask({"web.davit"}, "127.0.0.7").answer, SizeIs(1)) << "a connected socket takes nothing else";
  Host v6("davit", "::");
  v6.show(one_service("web", "10.0.0.1"));
  EXPECT_THAT(v6.ask({"web.davit"}, "::1").answer, SizeIs(1));
  EXPECT_THAT(v6.ask({"web.davit"}, "127.0.0.7").answer, SizeIs(1));
}

TEST(DnsServer, takes_several_messages_of_a_connection_and_ends_those_that_make_no_sense) {
  Host host("davit");
  host.show(dns::sample_directory());
  auto const socket = connect_to(SOCK_STREAM, "127.0.0.1", host.port());
  auto both = with_length(make_query({.name = "n1.node.davit", .id = 1}));
  auto const second = with_length(make_query({.name = "n2.node.davit", .id = 2}));
  both.insert(both.end(), second.begin(), second.end());
  send_all(socket, both);
  EXPECT_EQ(dns::read_reply(receive_message(socket)).id, 1U);
  EXPECT_EQ(dns::read_reply(receive_message(socket)).id, 2U);
  send_all(socket, {0, 1, 0});
  EXPECT_TRUE(receive_message(socket).empty());
  ASSERT_TRUE(is_readable(socket));
  EXPECT_THAT(host.ask_over_tcp({"n1.node.davit"}).answer, SizeIs(1));
}

TEST(DnsServer, lets_no_client_have_all_connections) {
  Host host("davit");
  host.show(dns::sample_directory());
  std::vector<runtime::Fd> idle;
  for (int i = 0; i < 40; ++i) idle.push_back(connect_to(SOCK_STREAM, "127.0.0.1", host.port()));
  auto const is_ended = [](runtime::Fd const& socket) { return is_readable(socket, 0); };
  while (std::ranges::count_if(idle, is_ended) < 8) ASSERT_TRUE(is_readable(idle.back()));
  EXPECT_EQ(std::ranges::count_if(idle, is_ended), 8);
  idle.clear();
  EXPECT_THAT(host.ask({"n1.node.davit"}).answer, SizeIs(1));
}

TEST(DnsServer, moves_to_another_address_and_keeps_the_old_one_when_it_cannot) {
  Host host("davit", "127.0.0.2");
  host.show(dns::sample_directory());
  Host const other("other", "127.0.0.3");
  auto const taken = host.server().listen(*parse_address("127.0.0.3"), other.port());
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Code::Exists);
  EXPECT_THAT(taken.error().message, HasSubstr("another program answers at 127.0.0.3:"));
  EXPECT_THAT(host.server().listen(*parse_address("192.0.2.1"), 0).error().message, HasSubstr("does not have the address 192.0.2.1"));
  EXPECT_THAT(host.ask({"n1.node.davit"}).answer, SizeIs(1));
  ASSERT_EQ(host.server().listen(*parse_address("127.0.0.4"), host.port()), host.port());
  EXPECT_THAT(host.ask({"n1.node.davit"}, "127.0.0.4").answer, SizeIs(1));
}

// ---- forwarding

dns::Query read(Message const& message) {
  dns::Query query;
  EXPECT_EQ(dns::read_query(message, query), dns::Rcode::NoError);
  return query;
}

boost::asio::awaitable<void> async_keep(boost::asio::awaitable<Message> from, Message* to) { *to = co_await std::move(from); }

TEST(DnsServer, forwards_what_is_not_its_own) {
  Host other("example", "127.0.0.2");
  other.show(one_service("www", "192.0.2.80"));
  Host const host("davit", "127.0.0.1", "nameserver 127.0.0.2\n", other.port());
  auto const told = host.ask({.name = "wWw.example", .payload = 1400});
  EXPECT_THAT(told.answer, ElementsAre("wWw.example. 1 IN A 192.0.2.80"));
  EXPECT_EQ(told.id, 0x1234U);
  EXPECT_EQ(host.ask({"nobody.example"}).code, "NXDOMAIN");
  EXPECT_THAT(host.ask_over_tcp({"www.example"}).answer, SizeIs(1));
}

TEST(DnsServer, passes_on_that_an_answer_was_cut_off_and_gives_the_whole_one_over_tcp) {
  Host other("example", "127.0.0.2");
  other.show(one_service("www", "192.0.2.", 200));
  Host const host("davit", "127.0.0.1", "nameserver 127.0.0.2\n", other.port());
  auto const cut = host.ask({"www.example"});
  EXPECT_THAT(cut.flags, HasSubstr("tc"));
  EXPECT_LE(cut.size, dns::kPlainLimit);
  EXPECT_THAT(host.ask_over_tcp({"www.example"}).answer, SizeIs(200));
}

TEST(DnsServer, asks_the_next_resolver_when_one_is_dead_or_of_no_use_and_follows_the_file) {
  Host unknowing("example", "127.0.0.3");  // SERVFAIL
  Host other("example", "127.0.0.2");
  auto const port = other.port();
  other.show(one_service("www", "192.0.2.80"));
  Host host("davit", "127.0.0.1", "", port);
  EXPECT_EQ(host.ask({"www.example"}).code, "SERVFAIL") << "there is no resolver";
  host.set_resolvers("nameserver 127.0.0.9\nnameserver 127.0.0.2\n");
  EXPECT_EQ(host.ask({"www.example"}).code, "NOERROR") << "nobody is at the first";
  if (unknowing.server().listen(*parse_address("127.0.0.3"), port)) {
    host.set_resolvers("nameserver 127.0.0.3\nnameserver 127.0.0.2\n");
    EXPECT_EQ(host.ask({"www.example"}).code, "NOERROR") << "the first does not know";
  }
}

TEST(DnsServer, gives_up_on_a_silent_resolver_before_its_client_does_and_avoids_it_then) {
  auto const silent = open_sockets(*parse_address("127.0.0.2"), 0);
  ASSERT_TRUE(silent);
  Host other("example", "127.0.0.3");
  other.show(one_service("www", "192.0.2.80"));
  Host host("davit", "127.0.0.1", "nameserver 127.0.0.2\n", silent->port);
  EXPECT_EQ(host.ask({"www.example"}).code, "SERVFAIL");
  if (!other.server().listen(*parse_address("127.0.0.3"), silent->port)) GTEST_SKIP() << "the port is taken at the other address";
  host.set_resolvers("nameserver 127.0.0.2\nnameserver 127.0.0.3\n");
  auto const began = std::chrono::steady_clock::now();
  EXPECT_THAT(host.ask({"www.example"}).answer, SizeIs(1));
  EXPECT_LT(std::chrono::steady_clock::now() - began, 1s);
}

TEST(DnsServer, does_not_ask_itself) {
  runtime::AsioLoop loop;
  auto const ourselves = open_sockets(*parse_address("127.0.0.2"), 0);
  ASSERT_TRUE(ourselves);
  auto const file = std::filesystem::temp_directory_path() / ("davit-resolv-" + std::to_string(::getpid()));
  std::ofstream(file) << "nameserver 127.0.0.2\n";
  Forwarder forwarder(loop, {.resolv_conf = file, .port = ourselves->port, .is_ourselves = [](dns::Address const& address) {
                               return address == *parse_address("127.0.0.2");
                             }});
  runtime::Gate gate(loop);
  Message reply;
  runtime::spawn(
      gate, "ask",
      async_keep(forwarder.async_ask(make_query({"example.com"}), read(make_query({"example.com"})), dns::Transport::Udp), &reply));
  EXPECT_TRUE(loop.run_until([&] { return gate.count() == 0; }, 10s));
  EXPECT_EQ(dns::read_reply(reply).code, "SERVFAIL");
  EXPECT_FALSE(is_readable(ourselves->udp, 0)) << "it was asked";
  std::filesystem::remove(file);
}

TEST(DnsServer, bounds_what_is_forwarded_at_once_and_refuses_the_rest) {
  auto const silent = open_sockets(*parse_address("127.0.0.2"), 0);
  ASSERT_TRUE(silent);
  Host host("davit", "127.0.0.1", "nameserver 127.0.0.2\n", silent->port);
  host.show(dns::sample_directory());
  auto const socket = connect_to(SOCK_DGRAM, "127.0.0.1", host.port());
  for (std::uint16_t id = 0; id < 150; ++id) send_all(socket, make_query({.name = "example.com", .id = id}));
  int refused = 0;
  for (; refused < 22; ++refused) {
    auto const reply = receive(socket, 1000);
    ASSERT_FALSE(reply.empty()) << "after " << refused;
    EXPECT_EQ(dns::read_reply(reply).code, "SERVFAIL");
  }
  EXPECT_FALSE(is_readable(socket, 0)) << "128 wait for the silent one";
  EXPECT_THAT(host.ask({"n1.node.davit"}).answer, SizeIs(1)) << "nobody else waits for it";
}

TEST(DnsServer, takes_new_directories_while_it_answers) {
  Host host("davit");
  host.show(one_service("web", "10.0.0.1"));
  std::jthread const changes([&](std::stop_token const& stop) {
    for (std::uint32_t i = 1; !stop.stop_requested(); i = i % 200 + 1) host.show(one_service("web", "10.0.0.", i + 1));
  });
  for (int i = 0; i < 500; ++i) ASSERT_THAT(host.ask({.name = "web.davit", .payload = 1232}).answer, testing::Not(testing::IsEmpty()));
}

}  // namespace
}  // namespace davit::dns_server
