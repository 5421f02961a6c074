// One engine's HTTP API: versioned paths, JSON bodies, and the difference between "refused" and "away".
// Owned by DockerEngine; control thread. A status of 4xx or 5xx is an Answer like any other: what it means depends on the call.
// Errors are those of the way there: Code::Unavailable and Code::Deadline with kEngineAway (nothing was done), Code::UnknownOutcome,
// Code::Unsupported (an engine that is too old).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "adapters/engine_docker/api_version.hpp"
#include "adapters/engine_docker/endpoint.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "http/client.hpp"
#include "runtime/asio_loop.hpp"

namespace davit::engine_docker {

struct Ask {
  std::string method = "GET";
  std::string path;   // without the version; its parts percent-encoded
  http::Query query;  // not encoded yet
  std::string body;   // JSON, or empty
  http::Headers headers;
};

struct Answer {
  int status = 0;
  std::string body;
  bool is_ok() const { return status >= 200 && status < 300; }
  std::string message() const;  // of an error answer, cleaned; never empty
};

class ApiClient {
 public:
  ApiClient(runtime::AsioLoop& loop, EngineAddress address);

  // Asks the engine for its version anew, over fresh connections: it may be another engine than before.
  boost::asio::awaitable<Result<ApiVersion>> async_connect(Monotonic deadline);
  boost::asio::awaitable<Status> async_ping(Monotonic deadline);

  // Both connect first where nobody has yet.
  boost::asio::awaitable<Result<Answer>> async_request(Ask ask, Monotonic deadline);
  // A stream over a connection of its own, whose status may be an error. `deadline` is for status and headers.
  boost::asio::awaitable<Result<http::Stream>> async_open(Ask ask, Monotonic deadline);
  boost::asio::awaitable<Result<Answer>> async_read_answer(http::Stream* stream, Monotonic deadline);

  std::optional<ApiVersion> version() const { return version_; }
  Error away(Error error) const;  // what went wrong on the way, as users should read it

 private:
  boost::asio::awaitable<Result<http::Request>> async_prepare(Ask ask, Monotonic deadline);

  runtime::AsioLoop& loop_;
  EngineAddress address_;
  std::shared_ptr<http::Client> client_;
  std::optional<ApiVersion> version_;
};

}  // namespace davit::engine_docker
