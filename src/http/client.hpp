// An HTTP/1.1 client for one endpoint, on the control thread. Short calls share a few kept-alive connections; a stream has
// one of its own. HTTP statuses are not errors here. Errors: Code::Unavailable (nobody there, or the connection broke before
// the request could have had an effect; field "permission" when the socket's mode keeps us out), Code::Deadline (no answer in time,
// and nothing was done), Code::UnknownOutcome (sent, and no answer: it may have been done; never for GET and HEAD),
// Code::Exhausted (the body exceeds body_limit).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "base/result.hpp"
#include "base/time.hpp"
#include "http/message.hpp"
#include "http/url.hpp"
#include "runtime/asio_loop.hpp"

namespace davit::http {

// PEM files, as docker's DOCKER_CERT_PATH holds them; "" for none. Without `ca` the system's authorities count.
struct TlsFiles {
  std::string ca;
  std::string certificate;
  std::string key;
  bool verify = true;
};

struct ClientOptions {
  Duration connect_timeout = 2s;
  Duration idle_timeout = 30s;  // a connection idle for longer is not used again
  std::size_t max_idle = 8;
  std::uint64_t body_limit = 64 * 1024 * 1024;  // bytes, for async_request
  std::string host_header;                      // "": from the endpoint
  TlsFiles tls;                                 // for https:// endpoints
};

// An answer whose body is read bit by bit. Destroying it closes its connection.
class Stream {
 public:
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;
  ~Stream();

  int status() const;
  Headers const& headers() const;
  // The next bytes; "" is the end. Code::Unavailable: the connection broke before the end. Code::Deadline: silent for too
  // long; the stream is then closed.
  boost::asio::awaitable<Result<std::string>> async_read(Monotonic deadline = kNever);
  // The rest, up to `limit` bytes (Code::Exhausted beyond). For the body of an error answer.
  boost::asio::awaitable<Result<std::string>> async_read_all(std::uint64_t limit, Monotonic deadline);
  void close();  // an async_read that waits ends with Code::Unavailable

 private:
  friend class Client;
  struct Impl;
  explicit Stream(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

class Client {
 public:
  Client(runtime::AsioLoop& loop, Endpoint endpoint, ClientOptions options = {});
  ~Client();  // requests under way go on
  Client(Client const&) = delete;
  Client& operator=(Client const&) = delete;

  Endpoint const& endpoint() const;
  // The whole answer. A connection that turns out to be stale before the first byte of the answer is replaced once, where
  // sending the request again is harmless.
  boost::asio::awaitable<Result<Response>> async_request(Request request, Monotonic deadline);
  // Status and headers by the deadline; then the body at the server's pace.
  boost::asio::awaitable<Result<Stream>> async_open(Request request, Monotonic deadline);

  std::size_t idle_connections() const;

 private:
  friend class Stream;
  struct Impl;
  struct Calls;
  std::shared_ptr<Impl> impl_;
};

}  // namespace davit::http
