#include "http/exchange.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>
#include <boost/asio/error.hpp>

namespace davit::http {
namespace asio = boost::asio;

Exchange::Exchange(runtime::AsioLoop& loop, Endpoint const& endpoint, std::string const& method, std::uint64_t body_limit)
    : loop_(loop),
      where_(to_string(endpoint)),
      to_head_(method == "HEAD"),
      is_safe_(method == "GET" || method == "HEAD" || method == "OPTIONS"),
      is_idempotent_(is_safe_ || method == "PUT" || method == "DELETE"),
      body_limit_(body_limit),
      parser_(std::make_unique<ResponseParser>(to_head_, body_limit)),
      timer_(loop.make_timer()) {}

void Exchange::set_deadline(Monotonic at) {
  timer_->set(at, [this] {
    expired_ = true;
    if (line_) line_->wire.close();
  });
}

asio::awaitable<Status> Exchange::async_connect(Endpoint endpoint, std::shared_ptr<TlsFiles const> tls, Monotonic limit) {
  line_ = std::make_unique<Line>(loop_);
  bool too_slow = false;
  auto const limiter = loop_.make_timer();
  limiter->set(limit, [this, &too_slow] {
    too_slow = true;
    line_->wire.close();
  });
  auto connected = co_await line_->wire.async_connect(std::move(endpoint), std::move(tls));
  if (expired_) co_return fail(Code::Deadline, "no connection in time to " + where_);
  if (too_slow) co_return fail(Code::Unavailable, fmt::format("{} does not answer: no connection in time", where_));
  co_return connected;
}

asio::awaitable<Status> Exchange::async_send(std::string head, std::string_view body) {
  // Small bodies go out in one piece with the head; a large one is not copied.
  constexpr std::size_t kSmall = 16 * 1024;
  bool const together = body.size() <= kSmall;
  if (together) head.append(body);
  sent_ = true;
  auto error = co_await line_->wire.async_write(head);
  if (!error && !together) error = co_await line_->wire.async_write(body);
  // A server may answer early and close (413): the answer then lies here to be read, though writing failed.
  if (error && (expired_ || closed_ || error == asio::error::operation_aborted)) co_return broken("it was cut while sending");
  co_return Status{};
}

asio::awaitable<Status> Exchange::async_read_header() {
  for (;;) {
    Fed const fed = parser_->feed(line_->buffer.view());
    line_->buffer.consume(fed.consumed);
    if (fed.parsed == Parsed::Header || fed.parsed == Parsed::Message) {
      bool const is_interim = parser_->status() < 200 && parser_->status() != 101;
      if (!is_interim) co_return Status{};
      parser_ = std::make_unique<ResponseParser>(to_head_, body_limit_);
    } else if (fed.parsed == Parsed::More) {
      auto filled = co_await async_fill();
      if (!filled) co_return filled;
    } else {
      co_return judge(fed.parsed);
    }
  }
}

asio::awaitable<Result<std::string>> Exchange::async_read_body() {
  for (;;) {
    Fed const fed = parser_->feed(line_->buffer.view());
    line_->buffer.consume(fed.consumed);
    if (auto const status = judge(fed.parsed); !status) co_return std::unexpected(status.error());
    if (auto bytes = parser_->take_body(); !bytes.empty() || parser_->is_done()) co_return bytes;
    if (fed.consumed > 0) continue;
    auto const filled = co_await async_fill();
    if (!filled) co_return std::unexpected(filled.error());
  }
}

asio::awaitable<Status> Exchange::async_fill() {
  if (closed_) co_return broken("the stream was closed");
  auto const error = co_await line_->wire.async_read(&line_->buffer);
  if (!line_->buffer.empty()) answered_ = true;
  if (!error) co_return Status{};
  if (error == asio::error::eof && parser_->feed_end() == Parsed::Message) co_return Status{};
  if (error == asio::error::operation_aborted) co_return broken(closed_ ? "the stream was closed" : "it was cancelled");
  co_return broken(error == asio::error::eof ? "the other side closed the connection" : error.message());
}

std::unexpected<Error> Exchange::broken(std::string_view why) const {
  if (expired_) {
    if (is_safe_ || !sent_) return fail(Code::Deadline, fmt::format("no answer in time from {}", where_));
    return fail(Code::UnknownOutcome, fmt::format("no answer in time from {}: the request may have been carried out", where_));
  }
  if (is_safe_ || !sent_ || parser_->has_header())
    return fail(Code::Unavailable, fmt::format("the connection to {} broke: {}", where_, why));
  return fail(Code::UnknownOutcome, fmt::format("the connection to {} broke ({}): the request may have been carried out", where_, why));
}

Status Exchange::judge(Parsed parsed) const {
  switch (parsed) {
    case Parsed::More:
    case Parsed::Header:
    case Parsed::Message: return {};
    case Parsed::Malformed: return fail(Code::Unavailable, fmt::format("{} does not answer in HTTP: {}", where_, parser_->problem()));
    case Parsed::HeaderTooLarge: return fail(Code::Unavailable, fmt::format("{} answers with too large a header", where_));
    case Parsed::BodyTooLarge:
      return fail(Code::Exhausted, fmt::format("the answer from {} exceeds the limit of {} bytes", where_, body_limit_));
  }
  return {};
}

bool Exchange::may_repeat() const { return !answered_ && !expired_ && !closed_ && (is_idempotent_ || !sent_); }

void Exchange::close() {
  closed_ = true;
  if (line_) line_->wire.close();
}

void Exchange::take_line(std::unique_ptr<Line> idle) { line_ = std::move(idle); }

std::unique_ptr<Line> Exchange::release_line() {
  timer_->cancel();
  return std::move(line_);
}

}  // namespace davit::http
