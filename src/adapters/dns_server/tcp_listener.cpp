#include "adapters/dns_server/tcp_listener.hpp"

#include <cstring>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "adapters/dns_server/messages.hpp"
#include "runtime/deadline.hpp"

namespace davit::dns_server {
namespace asio = boost::asio;
namespace {

constexpr Duration kIdle = 10s;
constexpr Duration kAfterFailure = 100ms;  // out of descriptors, most likely: they come back

dns::Address address_of(asio::ip::tcp::endpoint const& peer) {
  sockaddr_storage storage{};
  std::memcpy(&storage, peer.data(), peer.size());
  return dns_server::address_of(storage);
}

}  // namespace

TcpListener::TcpListener(runtime::AsioLoop& loop, runtime::Gate& gate, runtime::Fd socket, bool is_v6, Quota& connections, Answer answer)
    : loop_(loop),
      gate_(gate),
      acceptor_(loop.context(), is_v6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), socket.release()),
      connections_(connections),
      answer_(std::move(answer)) {}

asio::awaitable<void> TcpListener::async_run(std::shared_ptr<TcpListener> self) {
  while (true) {
    asio::ip::tcp::socket socket(self->loop_.context());
    auto const [error] = co_await self->acceptor_.async_accept(socket, asio::as_tuple(asio::use_awaitable));
    if (error == asio::error::operation_aborted || !self->acceptor_.is_open()) co_return;
    if (error) co_await runtime::async_sleep_until(self->loop_, self->loop_.now().monotonic + kAfterFailure);
    else self->admit(std::move(socket), self);
  }
}

void TcpListener::admit(asio::ip::tcp::socket socket, std::shared_ptr<TcpListener> const& self) {
  boost::system::error_code error;
  auto const peer = socket.remote_endpoint(error);
  if (error) return;
  auto const source = address_of(peer);
  auto ticket = connections_.take(source);
  if (!ticket) return;
  runtime::spawn(gate_, "dns connection", async_serve(self, std::move(socket), source, *std::move(ticket)));
}

asio::awaitable<void> TcpListener::async_serve(std::shared_ptr<TcpListener> self, asio::ip::tcp::socket socket, dns::Address source,
                                               Quota::Ticket ticket) {
  static_cast<void>(ticket);  // counts as long as this runs
  while (co_await async_serve_one(self, &socket, source)) {
  }
}

asio::awaitable<bool> TcpListener::async_serve_one(std::shared_ptr<TcpListener> self, asio::ip::tcp::socket* socket, dns::Address source) {
  auto const by = [&] { return self->loop_.now().monotonic + kIdle; };
  auto message = co_await runtime::async_with_deadline(self->loop_, by(), "dns", async_read_message(socket));
  if (!message) co_return false;
  auto reply = co_await self->answer_(source, *std::move(message));
  if (reply.empty()) co_return false;
  auto const written = co_await runtime::async_with_deadline(self->loop_, by(), "dns", async_write_message(socket, std::move(reply)));
  co_return written.has_value();
}

void TcpListener::close() {
  boost::system::error_code ignored;
  static_cast<void>(acceptor_.close(ignored));
}

}  // namespace davit::dns_server
