#include "adapters/dns_server/forwarder.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "adapters/dns_server/messages.hpp"
#include "adapters/dns_server/sockets.hpp"
#include "base/check.hpp"
#include "runtime/deadline.hpp"

namespace davit::dns_server {
namespace asio = boost::asio;
namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kMostAtOnce = 512, kMostOfOneClient = 128;
constexpr std::size_t kAttempts = 3;
constexpr Duration kPatience = 1500ms;  // with one resolver; all attempts together end before a client's usual five seconds
constexpr std::size_t kMostOverUdp = 4096;

std::uint16_t random_id() {
  std::uint16_t id = 0;
  CHECK(getrandom(&id, sizeof id, 0) == sizeof id);
  return id;
}

asio::ip::address to_asio(dns::Address const& address) {
  if (address.is_v6) return asio::ip::address_v6(address.bytes);
  return asio::ip::address_v4({address.bytes[0], address.bytes[1], address.bytes[2], address.bytes[3]});
}

asio::awaitable<Result<dns::Message>> async_over_udp(runtime::AsioLoop* loop, asio::ip::udp::endpoint resolver, dns::Message question) {
  asio::ip::udp::socket socket(loop->context());
  boost::system::error_code error;
  if (socket.open(resolver.protocol(), error) || socket.connect(resolver, error)) co_return broken(error);
  auto const [unsent, sent] = co_await socket.async_send(asio::buffer(question), kAwait);
  if (unsent) co_return broken(unsent);
  dns::Message answer;
  while (true) {
    answer.resize(kMostOverUdp);
    auto const [failed, size] = co_await socket.async_receive(asio::buffer(answer), kAwait);
    if (failed) co_return broken(failed);
    answer.resize(size);
    if (dns::is_answer(answer, question)) co_return answer;
  }
}

asio::awaitable<Result<dns::Message>> async_over_tcp(runtime::AsioLoop* loop, asio::ip::tcp::endpoint resolver, dns::Message question) {
  asio::ip::tcp::socket socket(loop->context());
  auto const [failed] = co_await socket.async_connect(resolver, kAwait);
  if (failed) co_return broken(failed);
  auto const written = co_await async_write_message(&socket, question);
  if (!written) co_return std::unexpected(written.error());
  auto answer = co_await async_read_message(&socket);
  if (answer && !dns::is_answer(*answer, question)) co_return fail(Code::Unavailable, "it answered something else");
  co_return answer;
}

}  // namespace

Forwarder::Forwarder(runtime::AsioLoop& loop, Options options)
    : loop_(loop),
      options_(std::move(options)),
      quota_(kMostAtOnce, kMostOfOneClient) {}

void Forwarder::read_resolvers() {
  std::error_code error;
  auto const written_at = std::filesystem::last_write_time(options_.resolv_conf, error);
  if (error || read_at_ == written_at) return;
  std::ifstream in(options_.resolv_conf);
  std::string const text(std::istreambuf_iterator<char>(in), {});
  upstreams_.set(dns::read_resolv_conf(text).resolvers);
  read_at_ = written_at;
}

asio::awaitable<dns::Message> Forwarder::async_ask(dns::Message client, dns::Query query, dns::Transport transport) {
  read_resolvers();
  auto resolvers = upstreams_.in_order(loop_.now().monotonic);
  std::erase_if(resolvers, [this](dns::Address const& each) { return options_.is_ourselves(each); });
  auto const attempts = resolvers.size() == 1 ? 2 : std::min(kAttempts, resolvers.size() * 2);
  auto const limit = transport == dns::Transport::Udp ? query.udp_limit() : dns::kTcpLimit;
  std::optional<dns::Message> poor;
  for (std::size_t i = 0; i < attempts && !(poor && i >= resolvers.size()); ++i) {
    auto const& resolver = resolvers[i % resolvers.size()];
    auto answer = co_await async_ask_one(resolver, dns::to_upstream(client, query, random_id()), transport);
    if (!answer) continue;
    dns::to_client(*answer, client, query, limit);
    if (!dns::is_failure(*answer)) co_return std::move(*answer);
    poor = std::move(*answer);
  }
  co_return poor ? std::move(*poor) : dns::no_answer(client, query);
}

// Some resolvers take no connections; what they say over UDP is better than nothing.
asio::awaitable<Result<dns::Message>> Forwarder::async_ask_one(dns::Address resolver, dns::Message question, dns::Transport transport) {
  auto const by = loop_.now().monotonic + kPatience;
  if (transport == dns::Transport::Tcp) {
    auto attempt = async_over_tcp(&loop_, {to_asio(resolver), options_.port}, question);
    auto answer = co_await runtime::async_with_deadline(loop_, by - kPatience / 2, "dns", std::move(attempt));
    if (answer) co_return answer;
  }
  auto attempt = async_over_udp(&loop_, {to_asio(resolver), options_.port}, std::move(question));
  auto answer = co_await runtime::async_with_deadline(loop_, by, "dns", std::move(attempt));
  if (answer) upstreams_.on_answer(resolver);
  else upstreams_.on_silence(resolver, loop_.now().monotonic);
  co_return answer;
}

}  // namespace davit::dns_server
