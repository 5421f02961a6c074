#include "http/wire.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <utility>

#include <fmt/core.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace davit::http {
namespace asio = boost::asio;
namespace ssl = asio::ssl;
using boost::system::error_code;

namespace {

using Socket = asio::generic::stream_protocol::socket;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

std::unexpected<Error> cannot_connect(Endpoint const& endpoint, error_code const& error) {
  std::string const where = to_string(endpoint);
  switch (error.value()) {
    case EACCES:
    case EPERM: return fail(Code::Unavailable, "permission denied on " + where, "permission");
    case ENOENT: return fail(Code::Unavailable, fmt::format("nothing listens on {}: there is no such socket", where));
    case ECONNREFUSED: return fail(Code::Unavailable, fmt::format("nothing listens on {}: connection refused", where));
    default: return fail(Code::Unavailable, fmt::format("cannot connect to {}: {}", where, error.message()));
  }
}

Result<std::unique_ptr<ssl::context>> make_tls_context(TlsFiles const& files) {
  auto context = std::make_unique<ssl::context>(ssl::context::tls_client);
  error_code error;
  std::string about;
  auto const apply = [&](std::string const& file, auto&& use) {
    if (error || file.empty()) return;
    about = file;
    use();
  };
  if (files.ca.empty()) (void)context->set_default_verify_paths(error);
  apply(files.ca, [&] { (void)context->load_verify_file(files.ca, error); });
  apply(files.certificate, [&] { (void)context->use_certificate_chain_file(files.certificate, error); });
  apply(files.key, [&] { (void)context->use_private_key_file(files.key, ssl::context::pem, error); });
  if (error) return fail(Code::Invalid, fmt::format("cannot use {} for TLS: {}", about, error.message()), "tls");
  (void)context->set_verify_mode(files.verify ? ssl::verify_peer : ssl::verify_none, error);
  return context;
}

}  // namespace

struct Wire::Impl {
  explicit Impl(asio::io_context& context) : resolver(context), socket(context) {}

  asio::awaitable<error_code> async_connect_unix(std::string path);
  asio::awaitable<error_code> async_connect_tcp(std::string host, std::uint16_t port);
  asio::awaitable<Status> async_start_tls(Endpoint endpoint, std::shared_ptr<TlsFiles const> files);

  asio::ip::tcp::resolver resolver;
  Socket socket;
  std::unique_ptr<ssl::context> tls_context;
  std::unique_ptr<ssl::stream<Socket&>> tls;
};

asio::awaitable<error_code> Wire::Impl::async_connect_unix(std::string path) {
  sockaddr_un const address{};
  if (path.size() >= sizeof(address.sun_path)) co_return error_code(ENAMETOOLONG, boost::system::generic_category());
  auto [error] = co_await socket.async_connect(asio::local::stream_protocol::endpoint(path), kAwait);
  co_return error;
}

asio::awaitable<error_code> Wire::Impl::async_connect_tcp(std::string host, std::uint16_t port) {
  auto [error, found] = co_await resolver.async_resolve(host, std::to_string(port), asio::ip::tcp::resolver::numeric_service, kAwait);
  if (error) co_return error;
  for (auto const& entry : found) {
    error_code ignored;
    (void)socket.close(ignored);
    auto [failed] = co_await socket.async_connect(entry.endpoint(), kAwait);
    error = failed;
    if (!error) (void)socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    if (!error || error == asio::error::operation_aborted) break;
  }
  co_return error;
}

asio::awaitable<Status> Wire::Impl::async_start_tls(Endpoint endpoint, std::shared_ptr<TlsFiles const> files) {
  auto made = make_tls_context(*files);
  if (!made) co_return std::unexpected(made.error());
  tls_context = std::move(*made);
  tls = std::make_unique<ssl::stream<Socket&>>(socket, *tls_context);
  error_code ignored;
  if (files->verify) (void)tls->set_verify_callback(ssl::host_name_verification(endpoint.host), ignored);
  ::SSL_set_tlsext_host_name(tls->native_handle(), endpoint.host.c_str());
  auto [error] = co_await tls->async_handshake(ssl::stream_base::client, kAwait);
  if (!error) co_return Status{};
  if (error == asio::error::operation_aborted) co_return cannot_connect(endpoint, error);
  co_return fail(Code::Unavailable, fmt::format("no TLS with {}: {}", to_string(endpoint), error.message()), "tls");
}

Wire::Wire(runtime::AsioLoop& loop) : impl_(std::make_shared<Impl>(loop.context())) {}
Wire::~Wire() { close(); }

asio::awaitable<Status> Wire::async_connect(Endpoint endpoint, std::shared_ptr<TlsFiles const> tls) {
  auto const impl = impl_;
  error_code const error = endpoint.kind == Endpoint::Kind::Unix ? co_await impl->async_connect_unix(endpoint.path)
                                                                 : co_await impl->async_connect_tcp(endpoint.host, endpoint.port);
  if (error) co_return cannot_connect(endpoint, error);
  if (!endpoint.tls) co_return Status{};
  co_return co_await impl->async_start_tls(std::move(endpoint), std::move(tls));
}

asio::awaitable<error_code> Wire::async_read(ReadBuffer* buffer) {
  auto const impl = impl_;
  auto const room = buffer->prepare();
  if (room.empty()) co_return asio::error::no_buffer_space;
  asio::mutable_buffer const target(room.data(), room.size());
  auto [error, count] =
      impl->tls ? co_await impl->tls->async_read_some(target, kAwait) : co_await impl->socket.async_read_some(target, kAwait);
  buffer->commit(count);
  if (error == ssl::error::stream_truncated) error = asio::error::eof;  // many servers end TLS without a good-bye
  co_return error;
}

asio::awaitable<error_code> Wire::async_write(std::string_view bytes) {
  auto const impl = impl_;
  asio::const_buffer const source(bytes.data(), bytes.size());
  auto [error, count] =
      impl->tls ? co_await asio::async_write(*impl->tls, source, kAwait) : co_await asio::async_write(impl->socket, source, kAwait);
  co_return error;
}

bool Wire::is_stale() const {
  char byte = 0;
  auto const got = ::recv(impl_->socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

void Wire::close() {
  error_code ignored;
  impl_->resolver.cancel();
  (void)impl_->socket.close(ignored);
}

}  // namespace davit::http
