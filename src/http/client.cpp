#include "http/client.hpp"

#include <algorithm>
#include <deque>
#include <limits>
#include <utility>

#include "http/exchange.hpp"
#include "http/format.hpp"

namespace davit::http {
namespace asio = boost::asio;

namespace {

std::string host_header(Endpoint const& endpoint) {
  if (endpoint.kind == Endpoint::Kind::Unix) return "localhost";
  std::string const url = to_string(endpoint);
  return url.substr(url.find("://") + 3);
}

}  // namespace

// ---- The pool -------------------------------------------------------------------------------------------------------

struct Client::Impl {
  using ExchangePtr = std::shared_ptr<Exchange>;

  Impl(runtime::AsioLoop& its_loop, Endpoint its_endpoint, ClientOptions its_options)
      : loop(its_loop),
        endpoint(std::move(its_endpoint)),
        options(std::move(its_options)),
        tls(std::make_shared<TlsFiles const>(options.tls)),
        host(options.host_header.empty() ? host_header(endpoint) : options.host_header) {}

  // The connection used last, which is the likeliest to be alive; nullptr when there is none that is.
  std::unique_ptr<Line> take_idle() {
    Monotonic const oldest = loop.now().monotonic - options.idle_timeout;
    while (!idle.empty()) {
      auto line = std::move(idle.back());
      idle.pop_back();
      if (line->idle_since > oldest && !line->wire.is_stale()) return line;
    }
    return nullptr;
  }

  void keep(Exchange& exchange) {
    if (!exchange.is_reusable()) return;
    auto line = exchange.release_line();
    line->idle_since = loop.now().monotonic;
    idle.push_back(std::move(line));
    if (idle.size() > options.max_idle) idle.pop_front();
  }

  runtime::AsioLoop& loop;
  Endpoint endpoint;
  ClientOptions options;
  std::shared_ptr<TlsFiles const> tls;
  std::string host;
  std::deque<std::unique_ptr<Line>> idle;
};

struct Stream::Impl {
  explicit Impl(std::shared_ptr<Exchange> its_exchange)
      : exchange(std::move(its_exchange)),
        status(exchange->parser().status()),
        headers(exchange->parser().headers()) {}

  std::shared_ptr<Exchange> exchange;
  int status;
  Headers headers;
};

// The named coroutines of a client; they hold its Impl, so that it may be destroyed while they run.
struct Client::Calls {
  using ImplPtr = std::shared_ptr<Impl>;
  using ExchangePtr = std::shared_ptr<Exchange>;

  // Sends the request on a kept connection, or on a new one, up to the answer's header.
  static asio::awaitable<Result<ExchangePtr>> async_start(ImplPtr impl, Request request, std::uint64_t body_limit, Monotonic deadline) {
    std::string const head = format_request_head(request, impl->host);
    if (auto line = impl->take_idle()) {
      auto exchange = std::make_shared<Exchange>(impl->loop, impl->endpoint, request.method, body_limit);
      exchange->set_deadline(deadline);
      exchange->take_line(std::move(line));
      auto const status = co_await async_ask(exchange, head, request.body);
      if (status) co_return exchange;
      if (!exchange->may_repeat()) co_return std::unexpected(status.error());
    }
    auto exchange = std::make_shared<Exchange>(impl->loop, impl->endpoint, request.method, body_limit);
    exchange->set_deadline(deadline);
    auto const limit = std::min(deadline, impl->loop.now().monotonic + impl->options.connect_timeout);
    auto status = co_await exchange->async_connect(impl->endpoint, impl->tls, limit);
    if (status) status = co_await async_ask(exchange, head, request.body);
    if (!status) co_return std::unexpected(status.error());
    co_return exchange;
  }

  static asio::awaitable<Status> async_ask(ExchangePtr exchange, std::string head, std::string_view body) {
    auto sent = co_await exchange->async_send(std::move(head), body);
    if (!sent) co_return sent;
    co_return co_await exchange->async_read_header();
  }

  static asio::awaitable<Result<Response>> async_request(ImplPtr impl, Request request, Monotonic deadline) {
    auto const started = co_await async_start(impl, std::move(request), impl->options.body_limit, deadline);
    if (!started) co_return std::unexpected(started.error());
    Exchange& exchange = **started;
    std::string body;
    for (;;) {
      auto bytes = co_await exchange.async_read_body();
      if (!bytes) co_return std::unexpected(bytes.error());
      if (bytes->empty()) break;
      if (body.empty()) body = std::move(*bytes);
      else body += *bytes;
    }
    Response response{.status = exchange.parser().status(), .headers = exchange.parser().headers(), .body = std::move(body)};
    impl->keep(exchange);
    co_return response;
  }

  static asio::awaitable<Result<Stream>> async_open(ImplPtr impl, Request request, Monotonic deadline) {
    constexpr auto kNoLimit = std::numeric_limits<std::uint64_t>::max();
    auto const started = co_await async_start(impl, std::move(request), kNoLimit, deadline);
    if (!started) co_return std::unexpected(started.error());
    (*started)->set_deadline(kNever);
    co_return Stream(std::make_shared<Stream::Impl>(*started));
  }

  static asio::awaitable<Result<std::string>> async_read(std::shared_ptr<Exchange> exchange, Monotonic deadline) {
    exchange->set_deadline(deadline);
    auto bytes = co_await exchange->async_read_body();
    exchange->set_deadline(kNever);
    co_return bytes;
  }

  static asio::awaitable<Result<std::string>> async_read_all(std::shared_ptr<Exchange> exchange, std::uint64_t limit, Monotonic deadline) {
    std::string all;
    for (;;) {
      auto bytes = co_await async_read(exchange, deadline);
      if (!bytes) co_return bytes;
      if (bytes->empty()) co_return all;
      if (all.size() + bytes->size() > limit) {
        exchange->close();
        co_return fail(Code::Exhausted, "the answer exceeds the limit of " + std::to_string(limit) + " bytes");
      }
      all += *bytes;
    }
  }
};

// ---- The faces ------------------------------------------------------------------------------------------------------

Client::Client(runtime::AsioLoop& loop, Endpoint endpoint, ClientOptions options)
    : impl_(std::make_shared<Impl>(loop, std::move(endpoint), std::move(options))) {}
Client::~Client() = default;

Endpoint const& Client::endpoint() const { return impl_->endpoint; }
std::size_t Client::idle_connections() const { return impl_->idle.size(); }

asio::awaitable<Result<Response>> Client::async_request(Request request, Monotonic deadline) {
  return Calls::async_request(impl_, std::move(request), deadline);
}

asio::awaitable<Result<Stream>> Client::async_open(Request request, Monotonic deadline) {
  return Calls::async_open(impl_, std::move(request), deadline);
}

Stream::Stream(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Stream::Stream(Stream&&) noexcept = default;

Stream& Stream::operator=(Stream&& other) noexcept {
  if (impl_ && impl_ != other.impl_) close();
  impl_ = std::move(other.impl_);
  return *this;
}

Stream::~Stream() {
  if (impl_) close();
}

int Stream::status() const { return impl_->status; }
Headers const& Stream::headers() const { return impl_->headers; }
void Stream::close() { impl_->exchange->close(); }

asio::awaitable<Result<std::string>> Stream::async_read(Monotonic deadline) { return Client::Calls::async_read(impl_->exchange, deadline); }

asio::awaitable<Result<std::string>> Stream::async_read_all(std::uint64_t limit, Monotonic deadline) {
  return Client::Calls::async_read_all(impl_->exchange, limit, deadline);
}

}  // namespace davit::http
