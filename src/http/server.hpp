// An HTTP/1.1 server on the control thread, over TCP and unix sockets, which stays alive under slow, silent, greedy and
// broken clients. Owned by main (or a test); it outlives no handler: wait for stop() before destroying it.
// What answers mean is the handlers' business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "base/result.hpp"
#include "base/time.hpp"
#include "http/message.hpp"
#include "runtime/asio_loop.hpp"

namespace davit::http {

// The answer to one request: one async_send, or async_begin, async_write…, async_end. Each fails with Code::Unavailable
// when the client has gone. Lives as long as the handler's coroutine.
class ResponseWriter {
 public:
  virtual ~ResponseWriter() = default;
  virtual boost::asio::awaitable<Status> async_send(Response response) = 0;
  // From here on the client's leaving cancels the handler's coroutine: what it awaits ends with operation_aborted, thrown.
  virtual boost::asio::awaitable<Status> async_begin(int status, Headers headers) = 0;
  virtual boost::asio::awaitable<Status> async_write(std::string chunk) = 0;  // waits while the client is slow
  virtual boost::asio::awaitable<Status> async_end() = 0;
  virtual bool is_open() const = 0;  // false: the client has gone, or the answer has ended
};

// Tried first, without a coroutine; nullopt passes the request on to the handler. For answers that lie ready.
using FastHandler = std::function<std::optional<Response>(Request const&)>;
// A handler that throws or ends without an answer gives a 500.
using Handler = std::function<boost::asio::awaitable<void>(Request, ResponseWriter&)>;
// Makes the answer to what never reaches a handler (400, 408, 413, 431, 500, 503); `detail` is a sentence for people.
using ProtocolErrorHandler = std::function<Response(int status, std::string detail)>;

struct ServerOptions {
  Handler handler;
  FastHandler fast_handler;
  ProtocolErrorHandler on_protocol_error;  // a plain text answer when unset

  std::uint32_t header_limit = 16 * 1024;   // bytes; beyond: 431
  std::uint64_t body_limit = 1024 * 1024;   // bytes; beyond: 413
  std::size_t max_connections = 1024;       // beyond: the one that has waited longest for a request is closed, else 503
  Duration idle_timeout = 60s;              // between requests
  Duration header_timeout = 10s;            // from a request's first byte to its blank line; then 408
  Duration body_timeout = 30s;              // the whole body; then 408
  Duration write_timeout = 30s;             // a client that takes no byte for so long is cut off
  Duration stop_grace = 2s;                 // for answers under way at stop()
};

class Server {
 public:
  Server(runtime::AsioLoop& loop, ServerOptions options);
  ~Server();
  Server(Server const&) = delete;
  Server& operator=(Server const&) = delete;

  // An IP address (or "localhost"); port 0 takes a free one. Gives the port. Code::Unavailable: taken; Code::Invalid: no such address.
  Result<std::uint16_t> listen_tcp(std::string const& address, std::uint16_t port);
  // Takes over a socket file that nobody listens on; it is removed at stop(). `mode` as in chmod: 0660.
  Status listen_unix(std::string const& path, unsigned mode);

  // Accepts no more, ends streams, gives answers under way `stop_grace`. `stopped` runs once when all is over.
  void stop(std::function<void()> stopped = {});
  boost::asio::awaitable<void> async_stop();

  std::size_t connections() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace davit::http
