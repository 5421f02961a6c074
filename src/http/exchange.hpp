// One request and its answer on one connection. Internal to http/: the client's pool makes them, Stream wraps one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/system/error_code.hpp>

#include "http/client.hpp"
#include "http/parser.hpp"
#include "http/read_buffer.hpp"
#include "http/wire.hpp"

namespace davit::http {

// A connection with its unparsed bytes; between exchanges it lies in the pool.
struct Line {
  explicit Line(runtime::AsioLoop& loop) : wire(loop), buffer(16 * 1024, 256 * 1024) {}
  Wire wire;
  ReadBuffer buffer;
  Monotonic idle_since{};
};

class Exchange {
 public:
  Exchange(runtime::AsioLoop& loop, Endpoint const& endpoint, std::string const& method, std::uint64_t body_limit);

  // At the deadline the connection is closed; the call that waits then fails with the code that fits.
  void set_deadline(Monotonic at);

  boost::asio::awaitable<Status> async_connect(Endpoint endpoint, std::shared_ptr<TlsFiles const> tls, Monotonic limit);
  boost::asio::awaitable<Status> async_send(std::string head, std::string_view body);  // `body` must outlive the call
  boost::asio::awaitable<Status> async_read_header();
  boost::asio::awaitable<Result<std::string>> async_read_body();  // the next bytes, "" at the end
  void close();

  // The connection broke before a byte of the answer, and sending the request again can do no harm.
  bool may_repeat() const;
  bool is_reusable() const { return parser_->keep_alive() && line_->buffer.empty() && !expired_ && !closed_; }

  ResponseParser const& parser() const { return *parser_; }
  void take_line(std::unique_ptr<Line> idle);  // in place of async_connect
  std::unique_ptr<Line> release_line();

 private:
  boost::asio::awaitable<Status> async_fill();
  std::unexpected<Error> broken(std::string_view why) const;
  Status judge(Parsed parsed) const;

  runtime::AsioLoop& loop_;
  std::string where_;  // the endpoint, for messages
  bool to_head_;
  bool is_safe_;        // asks only
  bool is_idempotent_;  // twice is like once
  std::uint64_t body_limit_;
  std::unique_ptr<Line> line_;
  std::unique_ptr<ResponseParser> parser_;
  std::unique_ptr<ports::Timer> timer_;
  bool sent_ = false;      // some of the request may have arrived
  bool answered_ = false;  // some of the answer has arrived
  bool expired_ = false;
  bool closed_ = false;
};

}  // namespace davit::http
