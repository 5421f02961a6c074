#include "http/server.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "http/connection.hpp"
#include "runtime/gate.hpp"
#include "runtime/log.hpp"

namespace davit::http {
namespace asio = boost::asio;
using boost::system::error_code;

namespace {

using Acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr Duration kAcceptBackoff = 100ms;

std::string describe_tcp(Socket const& socket, Transport& transport) {
  error_code error;
  auto const peer = socket.remote_endpoint(error);
  asio::ip::tcp::endpoint endpoint;
  if (error || peer.size() > endpoint.capacity()) return "unknown";
  endpoint.resize(peer.size());
  std::memcpy(endpoint.data(), peer.data(), peer.size());
  auto address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  transport = address.is_loopback() ? Transport::TcpLoopback : Transport::Tcp;
  return fmt::format("{}{}{}:{}", address.is_v6() ? "[" : "", address.to_string(), address.is_v6() ? "]" : "", endpoint.port());
}

std::string describe_unix(Socket& socket) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return "unix";
  return fmt::format("unix:uid={},pid={}", peer.uid, peer.pid);
}

// Whether a socket file is only what a dead process has left.
bool is_abandoned(std::string const& path, asio::io_context& context) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) return false;
  asio::local::stream_protocol::socket probe(context);
  error_code error;
  (void)probe.connect(asio::local::stream_protocol::endpoint(path), error);
  return error == asio::error::connection_refused;
}

std::unexpected<Error> cannot_listen(std::string const& where, error_code const& error) {
  if (error == asio::error::address_in_use) {
    return fail(Code::Unavailable, fmt::format("cannot listen on {}: another process does already; stop it or choose another", where));
  }
  return fail(Code::Unavailable, fmt::format("cannot listen on {}: {}", where, error.message()));
}

}  // namespace

struct Server::Impl {
  struct Listener {
    explicit Listener(asio::io_context& context) : acceptor(context) {}
    Acceptor acceptor;
    std::string unix_path;  // "": TCP
  };

  Impl(runtime::AsioLoop& loop, ServerOptions options)
      : host(loop, std::move(options)),
        sweeper(loop.make_timer()),
        grace(loop.make_timer()),
        gate(loop) {
    host.on_left = [this] { on_left(); };
  }

  Status listen(asio::generic::stream_protocol::endpoint const& endpoint, std::string const& where, std::string const& unix_path,
                unsigned mode);
  asio::awaitable<void> async_accept(std::shared_ptr<Listener> listener);
  void admit(Socket socket, bool is_tcp);
  bool make_room();
  void turn_away(Socket socket);
  void sweep();
  void on_left();
  void stop(std::function<void()> stopped);

  ConnectionHost host;
  std::vector<std::shared_ptr<Listener>> listeners;
  std::function<void()> on_stopped;
  std::unique_ptr<ports::Timer> sweeper;
  std::unique_ptr<ports::Timer> grace;
  runtime::Gate gate;  // last: what it holds uses the others
};

// ---- Listening ------------------------------------------------------------------------------------------------------

Status Server::Impl::listen(asio::generic::stream_protocol::endpoint const& endpoint, std::string const& where,
                            std::string const& unix_path, unsigned mode) {
  auto listener = std::make_shared<Listener>(host.loop.context());
  Acceptor& acceptor = listener->acceptor;
  error_code error;
  (void)acceptor.open(endpoint.protocol(), error);
  if (!error && unix_path.empty()) (void)acceptor.set_option(asio::socket_base::reuse_address(true), error);
  // The mode is there before the file is, so that at no moment more may connect than should.
  if (!error && !unix_path.empty() && ::fchmod(acceptor.native_handle(), mode) != 0) error.assign(errno, boost::system::system_category());
  if (!error) (void)acceptor.bind(endpoint, error);
  if (!error && !unix_path.empty() && ::chmod(unix_path.c_str(), mode) != 0) error.assign(errno, boost::system::system_category());
  if (!error) (void)acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return cannot_listen(where, error);
  listener->unix_path = unix_path;
  if (listeners.empty()) sweep();
  listeners.push_back(listener);
  runtime::spawn(gate, "accepting on " + where, async_accept(std::move(listener)));
  return {};
}

Result<std::uint16_t> Server::listen_tcp(std::string const& address, std::uint16_t port) {
  error_code error;
  auto const parsed = asio::ip::make_address(address == "localhost" ? "127.0.0.1" : address, error);
  if (error)
    return fail(Code::Invalid, fmt::format("'{}' is no IP address to listen on; 127.0.0.1 is this machine, 0.0.0.0 everyone", address));
  asio::ip::tcp::endpoint const endpoint(parsed, port);
  TRY_VOID(impl_->listen(endpoint, fmt::format("{}:{}", address, port), {}, 0));
  auto const local = impl_->listeners.back()->acceptor.local_endpoint(error);
  asio::ip::tcp::endpoint bound;
  std::memcpy(bound.data(), local.data(), std::min(local.size(), bound.capacity()));
  return bound.port();
}

Status Server::listen_unix(std::string const& path, unsigned mode) {
  sockaddr_un const address{};
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return fail(Code::Invalid,
                fmt::format("'{}' cannot be a socket's path: it must have 1 to {} bytes", path, sizeof(address.sun_path) - 1));
  }
  if (is_abandoned(path, impl_->host.loop.context())) ::unlink(path.c_str());
  return impl_->listen(asio::local::stream_protocol::endpoint(path), "unix://" + path, path, mode);
}

// ---- Accepting ------------------------------------------------------------------------------------------------------

asio::awaitable<void> Server::Impl::async_accept(std::shared_ptr<Listener> listener) {
  while (!host.stopping) {
    auto [error, socket] = co_await listener->acceptor.async_accept(kAwait);
    if (!error) {
      admit(std::move(socket), listener->unix_path.empty());
    } else if (error == asio::error::operation_aborted || host.stopping) {
      co_return;
    } else if (error != asio::error::connection_aborted) {
      // Out of file descriptors or memory: the connection stays in the queue, and asking again at once would be a busy loop.
      runtime::logger("http").warn("cannot accept a connection: {}", error.message());
      make_room();
      co_await runtime::async_sleep_until(host.loop, host.loop.now().monotonic + kAcceptBackoff);
    }
  }
}

void Server::Impl::admit(Socket socket, bool is_tcp) {
  if (host.stopping) return;
  if (host.all.size() >= host.options.max_connections && !make_room()) return turn_away(std::move(socket));
  Transport transport = is_tcp ? Transport::Tcp : Transport::Unix;
  std::string remote = is_tcp ? describe_tcp(socket, transport) : describe_unix(socket);
  error_code ignored;
  if (is_tcp) (void)socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  auto connection = std::make_shared<Connection>(host, std::move(socket), std::move(remote), transport);
  runtime::spawn(gate, "connection", Connection::async_run(std::move(connection)));
}

// Closes the connection that has waited longest for a request. An attacker who holds many open thus loses the oldest of
// them, while whoever asks at once is served.
bool Server::Impl::make_room() {
  if (host.waiting.empty()) return false;
  host.waiting.front()->cut();
  return true;
}

void Server::Impl::turn_away(Socket socket) {
  auto response = host.protocol_error(503, "too many connections; try again in a moment");
  if (!response.headers.has("Retry-After")) response.headers.add("Retry-After", "1");
  std::string bytes;
  ResponseHead const head{.status = 503,
                          .framing = Framing::Length,
                          .length = response.body.size(),
                          .keep_alive = false,
                          .http_1_0 = false,
                          .date = host.date()};
  format_response_head(bytes, head, response.headers);
  bytes += response.body.view();
  (void)::send(socket.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

// Looks at every connection's deadline: one timer for all, because a timer for each read and write would cost more than the reads.
void Server::Impl::sweep() {
  auto const& o = host.options;
  auto const shortest = std::min({o.idle_timeout, o.header_timeout, o.body_timeout, o.write_timeout});
  Monotonic const now = host.loop.now().monotonic;
  for (auto next = host.all.begin(); next != host.all.end();) (*next++)->check_deadline(now);
  sweeper->set(now + std::clamp<Duration>(shortest / 4, 5ms, 1s), [this] { sweep(); });
}

// ---- Stopping -------------------------------------------------------------------------------------------------------

void Server::Impl::stop(std::function<void()> stopped) {
  if (host.stopping) return gate.close(std::move(stopped));
  host.stopping = true;
  on_stopped = std::move(stopped);
  for (auto const& listener : listeners) {
    error_code ignored;
    (void)listener->acceptor.close(ignored);
    if (!listener->unix_path.empty()) ::unlink(listener->unix_path.c_str());
  }
  for (auto next = host.all.begin(); next != host.all.end();) (*next++)->on_stop();
  grace->set(host.loop.now().monotonic + host.options.stop_grace, [this] { gate.close(std::exchange(on_stopped, nullptr)); });
  if (host.all.empty()) on_left();
}

void Server::Impl::on_left() {
  if (!host.stopping || !host.all.empty()) return;
  sweeper->cancel();
  grace->set(Monotonic{}, [this] { gate.close(std::exchange(on_stopped, nullptr)); });
}

Server::Server(runtime::AsioLoop& loop, ServerOptions options) : impl_(std::make_unique<Impl>(loop, std::move(options))) {}
Server::~Server() = default;

void Server::stop(std::function<void()> stopped) { impl_->stop(std::move(stopped)); }

asio::awaitable<void> Server::async_stop() {
  auto const ended = std::make_shared<runtime::Wakeup>(impl_->host.loop);
  stop([ended] { ended->notify(); });
  co_await ended->async_wait();
}

std::size_t Server::connections() const { return impl_->host.all.size(); }

}  // namespace davit::http
