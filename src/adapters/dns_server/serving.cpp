#include "adapters/dns_server/serving.hpp"

#include <algorithm>
#include <utility>

#include "adapters/dns_server/neighbours.hpp"

namespace davit::dns_server {
namespace asio = boost::asio;
namespace {

constexpr std::size_t kMostConnections = 256, kMostOfOneClient = 32;
constexpr Duration kLookInterval = 1s;  // at most so often is asked who is on this host

}  // namespace

Serving::Serving(runtime::AsioLoop& loop, Options options)
    : loop_(loop),
      responder_(options.domain, options.ttl),
      forwarder_(loop, {.resolv_conf = std::move(options.resolv_conf),
                        .port = options.resolvers_port,
                        .is_ourselves = [this](dns::Address const& address) { return is_ourselves(address); }}),
      connections_(kMostConnections, kMostOfOneClient),
      resolvers_port_(options.resolvers_port),
      gate_(loop) {}

void Serving::listen(ListeningSockets sockets) {
  stop_listening();
  address_ = sockets.address;
  port_ = sockets.port;
  look_around();
  udp_ = std::make_shared<UdpListener>(
      loop_, std::move(sockets.udp), address_.is_v6,
      [this](auto const& client, dns::Bytes message, std::span<std::uint8_t> buffer) { return on_datagram(client, message, buffer); });
  tcp_ = std::make_shared<TcpListener>(
      loop_, gate_, std::move(sockets.tcp), address_.is_v6, connections_,
      [this](dns::Address source, dns::Message message) { return async_on_message(source, std::move(message)); });
  runtime::spawn(gate_, "dns over udp", UdpListener::async_run(udp_));
  runtime::spawn(gate_, "dns over tcp", TcpListener::async_run(tcp_));
}

void Serving::stop_listening() {
  if (udp_) udp_->close();
  if (tcp_) tcp_->close();
}

void Serving::close(std::function<void()> closed) {
  stop_listening();
  gate_.close(std::move(closed));
}

std::size_t Serving::on_datagram(UdpListener::Client const& client, dns::Bytes message, std::span<std::uint8_t> buffer) {
  auto const source = address_of(client.peer.storage);
  look_for(source);
  auto const outcome = responder_.respond(message, source, dns::Transport::Udp, buffer, query_);
  if (outcome.kind != dns::Outcome::Kind::Forward) return outcome.size;
  auto ticket = forwarder_.admit(source);
  dns::Message copy(message.begin(), message.end());
  if (ticket) {
    runtime::spawn(gate_, "dns forward", async_forward(udp_, client, std::move(copy), query_, *std::move(ticket)));
    return 0;
  }
  auto const refusal = dns::no_answer(copy, query_);
  std::ranges::copy(refusal, buffer.begin());
  return refusal.size();
}

asio::awaitable<void> Serving::async_forward(std::shared_ptr<UdpListener> by, UdpListener::Client client, dns::Message message,
                                             dns::Query query, Quota::Ticket ticket) {
  static_cast<void>(ticket);  // counts as long as this runs
  auto const answer = co_await forwarder_.async_ask(std::move(message), query, dns::Transport::Udp);
  by->send(client, answer);
}

asio::awaitable<dns::Message> Serving::async_on_message(dns::Address source, dns::Message message) {
  look_for(source);
  dns::Message reply(dns::kTcpLimit);
  dns::Query query;
  auto const outcome = responder_.respond(message, source, dns::Transport::Tcp, reply, query);
  if (outcome.kind != dns::Outcome::Kind::Forward) {
    reply.resize(outcome.size);
    co_return reply;
  }
  auto const ticket = forwarder_.admit(source);
  if (!ticket) co_return dns::no_answer(message, query);
  co_return co_await forwarder_.async_ask(std::move(message), query, dns::Transport::Tcp);
}

// Networks come and go with the engine's; who is not known may be of a new one.
void Serving::look_for(dns::Address const& source) {
  if (!around_.holds(source) && loop_.now().monotonic - looked_at_ >= kLookInterval) look_around();
}

void Serving::look_around() {
  looked_at_ = loop_.now().monotonic;
  around_ = read_neighbourhood();
  responder_.set_neighbourhood(around_);
}

bool Serving::is_ourselves(dns::Address const& address) const {
  if (resolvers_port_ != port_) return false;
  if (!address_.is_any()) return address == address_;
  return address.is_any() || address.is_loopback() || std::ranges::find(around_.own, address) != around_.own.end();
}

}  // namespace davit::dns_server
