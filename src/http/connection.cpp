#include "http/connection.hpp"

#include <chrono>
#include <exception>
#include <utility>

#include <fmt/core.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "runtime/log.hpp"

namespace davit::http {
namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kFirstBuffer = 4 * 1024;
constexpr Duration kDrainLimit = 1s;  // for a client that still sends what was refused

bool has_body(int status) { return status >= 200 && status != 204 && status != 304; }

// Drops `count` bytes from the front.
void advance(std::array<asio::const_buffer, 3>& pieces, std::size_t count) {
  for (auto& piece : pieces) {
    std::size_t const taken = std::min(count, piece.size());
    piece += taken;
    count -= taken;
  }
}

}  // namespace

// ---- What connections share -----------------------------------------------------------------------------------------

Response ConnectionHost::protocol_error(int status, std::string detail) const {
  if (options.on_protocol_error) return options.on_protocol_error(status, std::move(detail));
  return {.status = status, .headers = {{"Content-Type", "text/plain; charset=utf-8"}}, .body = detail + "\n"};
}

std::string const& ConnectionHost::date() {
  auto const now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()).time_since_epoch().count();
  if (now != std::exchange(date_second_, now)) date_ = format_date(now);
  return date_;
}

// ---- Life -----------------------------------------------------------------------------------------------------------

Connection::Connection(ConnectionHost& host, Socket socket, std::string remote, Transport transport)
    : host_(host),
      socket_(std::move(socket)),
      remote_(std::move(remote)),
      transport_(transport),
      buffer_(kFirstBuffer, host.options.header_limit + kFirstBuffer),
      parser_(host.options.header_limit, host.options.body_limit),
      place_(host.all.insert(host.all.end(), this)) {
  set_phase(Phase::Waiting, host_.options.idle_timeout);
}

Connection::~Connection() { leave(); }

asio::awaitable<void> Connection::async_run(std::shared_ptr<Connection> self) {
  struct Leaving {
    Connection& connection;
    ~Leaving() { connection.leave(); }
  } const leaving{*self};
  co_await self->scope_.async_run(self->async_serve());
}

asio::awaitable<void> Connection::async_serve() {
  while (co_await async_read_request()) {
    co_await async_answer();
    if (!keep_alive_ || peer_closed_ || phase_ == Phase::Closed) co_return;
    set_phase(Phase::Waiting, host_.options.idle_timeout);
  }
}

void Connection::leave() {
  if (std::exchange(left_, true)) return;
  set_phase(Phase::Closed);
  error_code ignored;
  (void)socket_.shutdown(Socket::shutdown_both, ignored);
  (void)socket_.close(ignored);
  host_.all.erase(place_);
  if (host_.on_left) host_.on_left();
}

void Connection::set_phase(Phase phase, Duration limit) {
  auto const is_evictable = [](Phase p) { return p == Phase::Waiting || p == Phase::Header; };
  bool const was = is_evictable(phase_);
  bool const is = is_evictable(phase);
  if (is && !was) waiting_place_ = host_.waiting.insert(host_.waiting.end(), this);
  if (was && !is) host_.waiting.erase(waiting_place_);
  phase_ = phase;
  deadline_ = limit == Duration::zero() ? kNever : host_.loop.now().monotonic + limit;
}

void Connection::check_deadline(Monotonic now) {
  if (now < deadline_) return;
  if (phase_ != Phase::Header && phase_ != Phase::Body) return cut();
  timed_out_ = true;  // the read that waits ends, and a 408 is written
  error_code ignored;
  (void)socket_.cancel(ignored);
}

void Connection::on_stop() {
  keep_alive_ = false;
  if (phase_ != Phase::Answering) cut();
}

void Connection::cut() {
  if (phase_ == Phase::Closed) return;
  set_phase(Phase::Closed);
  error_code ignored;
  (void)socket_.close(ignored);
  scope_.cancel();
}

// ---- Reading --------------------------------------------------------------------------------------------------------

asio::awaitable<bool> Connection::async_read_request() {
  parser_.reset();
  keep_alive_ = true;
  while (buffer_.empty()) {
    if (!co_await async_fill()) co_return false;
  }
  set_phase(Phase::Header, host_.options.header_timeout);
  for (;;) {
    Fed const fed = parser_.feed(buffer_.view());
    buffer_.consume(fed.consumed);
    switch (fed.parsed) {
      case Parsed::Message: co_return true;
      case Parsed::Header:
        set_phase(Phase::Body, host_.options.body_timeout);
        http_1_0_ = parser_.is_http_1_0();
        keep_alive_ = parser_.keep_alive() && !host_.stopping;
        if (parser_.expects_continue() && buffer_.empty()) {
          if (!co_await async_write_all({asio::buffer(std::string_view("HTTP/1.1 100 Continue\r\n\r\n"))})) co_return false;
          set_phase(Phase::Body, host_.options.body_timeout);
        }
        break;
      case Parsed::More:
        if (fed.consumed > 0 && !buffer_.empty()) break;
        if (co_await async_fill()) break;
        if (timed_out_) co_await async_refuse(408, "the request did not arrive in time");
        co_return false;
      case Parsed::Malformed: co_await async_refuse(400, "this is not an HTTP request: " + parser_.problem()); co_return false;
      case Parsed::HeaderTooLarge:
        co_await async_refuse(431, fmt::format("the request's header exceeds {} bytes", host_.options.header_limit));
        co_return false;
      case Parsed::BodyTooLarge:
        co_await async_refuse(413, fmt::format("the request's body exceeds {} bytes", host_.options.body_limit));
        co_return false;
    }
  }
}

asio::awaitable<bool> Connection::async_fill() {
  if (watching_) {  // the read that watched the last stream's client is still there: it is this read
    co_await watched_->async_wait();
    co_return !peer_closed_ && phase_ != Phase::Closed;
  }
  auto const room = buffer_.prepare();
  if (room.empty() || timed_out_) co_return false;
  auto [error, count] = co_await socket_.async_read_some(asio::buffer(room.data(), room.size()), kAwait);
  if (error) co_return false;
  buffer_.commit(count);
  co_return true;
}

asio::awaitable<void> Connection::async_refuse(int status, std::string detail) {
  keep_alive_ = false;
  answered_ = false;
  to_head_ = false;
  set_phase(Phase::Answering);
  auto const sent = co_await async_send(host_.protocol_error(status, std::move(detail)));
  if (sent) co_await async_drain();
}

// Closing with unread bytes would make the kernel reset the connection, and the client would lose the answer.
asio::awaitable<void> Connection::async_drain() {
  set_phase(Phase::Draining, kDrainLimit);
  error_code ignored;
  (void)socket_.shutdown(Socket::shutdown_send, ignored);
  for (bool more = true; more; buffer_.consume(buffer_.view().size())) more = co_await async_fill();
}

// ---- Answering ------------------------------------------------------------------------------------------------------

asio::awaitable<void> Connection::async_answer() {
  set_phase(Phase::Answering);
  answered_ = false;
  Request request = parser_.take();
  request.remote = remote_;
  request.transport = transport_;
  to_head_ = request.method == "HEAD";
  if (auto ready = try_fast_handler(request)) {
    (void)co_await async_send(std::move(*ready));
    co_return;
  }
  bool const fine = co_await async_run_handler(std::move(request));
  if (!answered_) {
    (void)co_await async_send(host_.protocol_error(500, fine ? "the request was not answered" : "an internal error; the log has more"));
  } else if (phase_ == Phase::Streaming) {
    keep_alive_ = false;  // closed without the last chunk, so that the client knows the answer is cut
  }
}

std::optional<Response> Connection::try_fast_handler(Request const& request) const {
  if (!host_.options.fast_handler) return std::nullopt;
  try {
    return host_.options.fast_handler(request);
  } catch (std::exception const& error) {
    runtime::logger("http").error("{} {}: {}", request.method, request.target, error.what());
    return host_.protocol_error(500, "an internal error; the log has more");
  }
}

asio::awaitable<bool> Connection::async_run_handler(Request request) {
  if (!host_.options.handler) co_return true;
  std::string const what = request.method + " " + request.path;
  try {
    co_await host_.options.handler(std::move(request), *this);
    co_return true;
  } catch (boost::system::system_error const& error) {
    bool const is_over = scope_.is_cancelled() || host_.stopping;  // the client has gone, or we go
    if (is_over && error.code() == asio::error::operation_aborted) throw;
    runtime::logger("http").error("{}: {}", what, error.what());
  } catch (std::exception const& error) {
    runtime::logger("http").error("{}: {}", what, error.what());
  }
  co_return false;
}

asio::awaitable<Status> Connection::async_send(Response response) {
  if (phase_ != Phase::Answering) co_return gone();
  if (answered_) co_return fail(Code::Internal, "a request is answered once");
  answered_ = true;
  bool const with_body = has_body(response.status);
  ResponseHead const head{.status = response.status,
                          .framing = with_body ? Framing::Length : Framing::None,
                          .length = response.body.size(),
                          .keep_alive = keep_alive_,
                          .http_1_0 = http_1_0_,
                          .date = host_.date()};
  format_response_head(head_, head, response.headers);
  std::string_view const body = with_body && !to_head_ ? response.body.view() : std::string_view{};
  if (!co_await async_write_all({asio::buffer(head_), asio::buffer(body)})) co_return gone();
  co_return Status{};
}

asio::awaitable<Status> Connection::async_begin(int status, Headers headers) {
  if (phase_ != Phase::Answering) co_return gone();
  if (answered_) co_return fail(Code::Internal, "a request is answered once");
  answered_ = true;
  chunked_ = !http_1_0_;
  if (!chunked_) keep_alive_ = false;
  ResponseHead const head{.status = status,
                          .framing = chunked_ ? Framing::Chunked : Framing::UntilClose,
                          .length = 0,
                          .keep_alive = keep_alive_,
                          .http_1_0 = http_1_0_,
                          .date = host_.date()};
  format_response_head(head_, head, headers);
  set_phase(Phase::Streaming);
  watch_peer();
  if (!co_await async_write_all({asio::buffer(head_)})) co_return gone();
  co_return Status{};
}

asio::awaitable<Status> Connection::async_write(std::string chunk) {
  if (phase_ != Phase::Streaming) co_return gone();
  if (chunk.empty() || to_head_) co_return Status{};  // an empty chunk would be the last one
  std::string const size = chunked_ ? fmt::format("{:x}\r\n", chunk.size()) : std::string{};
  std::string_view const end = chunked_ ? "\r\n" : "";
  if (!co_await async_write_all({asio::buffer(size), asio::buffer(chunk), asio::buffer(end)})) co_return gone();
  co_return Status{};
}

asio::awaitable<Status> Connection::async_end() {
  if (phase_ != Phase::Streaming) co_return gone();
  std::string_view const end = chunked_ && !to_head_ ? "0\r\n\r\n" : "";
  bool const written = co_await async_write_all({asio::buffer(end)});
  if (!written) co_return gone();
  set_phase(Phase::Answering);
  co_return Status{};
}

// The write time-out counts from the last byte taken, so a large answer may take its time.
asio::awaitable<bool> Connection::async_write_all(Pieces pieces) {
  while (asio::buffer_size(pieces) > 0) {
    if (phase_ == Phase::Closed) co_return false;
    deadline_ = host_.loop.now().monotonic + host_.options.write_timeout;
    auto [error, count] = co_await socket_.async_write_some(pieces, kAwait);
    deadline_ = kNever;
    if (error) {
      if (phase_ != Phase::Closed) set_phase(Phase::Closed);
      co_return false;
    }
    advance(pieces, count);
  }
  co_return true;
}

std::unexpected<Error> Connection::gone() const {
  return fail(Code::Unavailable, fmt::format("the client {} has gone, or has its answer", remote_));
}

// ---- A stream's client ----------------------------------------------------------------------------------------------

// Nothing is to be read during a stream but the client's leaving. What it sends all the same is its next request, and waits.
void Connection::watch_peer() {
  if (watching_) return;
  if (!watched_) watched_ = std::make_unique<runtime::Wakeup>(host_.loop);
  auto const room = buffer_.prepare();
  if (room.empty()) return;
  watching_ = true;
  socket_.async_read_some(asio::buffer(room.data(), room.size()), [self = shared_from_this()](error_code error, std::size_t count) {
    self->on_watched(static_cast<bool>(error), count);
  });
}

void Connection::on_watched(bool is_gone, std::size_t count) {
  watching_ = false;
  buffer_.commit(count);
  peer_closed_ = is_gone;
  watched_->notify();
  if (phase_ != Phase::Streaming) return;
  if (is_gone) cut();
  else watch_peer();
}

}  // namespace davit::http
