#include "adapters/engine_docker/api_client.hpp"

#include <unistd.h>

#include <utility>

#include <fmt/format.h>

#include "adapters/engine_docker/engine_errors.hpp"
#include "model/engine.hpp"

namespace davit::engine_docker {
namespace asio = boost::asio;
namespace {

constexpr std::uint64_t kErrorBodyLimit = 64 * 1024;

http::Request ping_request() {
  http::Request request;
  request.method = "HEAD";
  request.target = "/_ping";
  return request;
}

}  // namespace

std::string Answer::message() const { return message_of_body(body, status); }

ApiClient::ApiClient(runtime::AsioLoop& loop, EngineAddress address) : loop_(loop), address_(std::move(address)) {}

asio::awaitable<Result<ApiVersion>> ApiClient::async_connect(Monotonic deadline) {
  http::ClientOptions options;
  options.host_header = "docker";
  options.max_idle = 16;
  options.tls = address_.tls;
  // In place of the old one, whose idle connections may lead to an engine that has ended; calls under way go on with it.
  auto const client = std::make_shared<http::Client>(loop_, address_.endpoint, options);
  auto const pong = co_await client->async_request(ping_request(), deadline);
  if (!pong) co_return std::unexpected(away(pong.error()));
  auto const version = negotiate(pong->headers.get("Api-Version"));
  if (!version) co_return std::unexpected(version.error());
  client_ = client;
  version_ = *version;
  co_return *version;
}

asio::awaitable<Status> ApiClient::async_ping(Monotonic deadline) {
  auto const client = client_;
  if (!client) co_return fail(Code::Unavailable, "not connected", std::string(model::engine_error::kEngineAway));
  auto const pong = co_await client->async_request(ping_request(), deadline);
  if (!pong) co_return std::unexpected(away(pong.error()));
  if (pong->status != 200) co_return fail(Code::Unavailable, fmt::format("the engine answers its ping with {}", pong->status));
  co_return Status{};
}

asio::awaitable<Result<http::Request>> ApiClient::async_prepare(Ask ask, Monotonic deadline) {
  if (!version_) {
    auto const connected = co_await async_connect(deadline);
    if (!connected) co_return std::unexpected(connected.error());
  }
  http::Request request;
  request.method = std::move(ask.method);
  request.target = "/v" + to_string(*version_) + ask.path + http::encode_query(ask.query);
  request.headers = std::move(ask.headers);
  request.body = std::move(ask.body);
  if (!request.body.empty()) request.headers.set("Content-Type", "application/json");
  co_return request;
}

asio::awaitable<Result<Answer>> ApiClient::async_request(Ask ask, Monotonic deadline) {
  auto request = co_await async_prepare(std::move(ask), deadline);
  if (!request) co_return std::unexpected(request.error());
  auto const client = client_;
  auto response = co_await client->async_request(std::move(*request), deadline);
  if (!response) co_return std::unexpected(away(response.error()));
  co_return Answer{response->status, std::move(response->body).take()};
}

asio::awaitable<Result<http::Stream>> ApiClient::async_open(Ask ask, Monotonic deadline) {
  auto request = co_await async_prepare(std::move(ask), deadline);
  if (!request) co_return std::unexpected(request.error());
  auto const client = client_;
  auto stream = co_await client->async_open(std::move(*request), deadline);
  if (!stream) co_return std::unexpected(away(stream.error()));
  co_return std::move(*stream);
}

asio::awaitable<Result<Answer>> ApiClient::async_read_answer(http::Stream* stream, Monotonic deadline) {
  auto body = co_await stream->async_read_all(kErrorBodyLimit, deadline);
  if (!body) co_return std::unexpected(away(body.error()));
  co_return Answer{stream->status(), std::move(*body)};
}

Error ApiClient::away(Error error) const {
  auto const where = http::to_string(address_.endpoint);
  if (error.code == Code::UnknownOutcome) {
    return Error{Code::UnknownOutcome, fmt::format("no answer from the Docker Engine at {}: {}", where, error.message), ""};
  }
  if (error.code != Code::Unavailable && error.code != Code::Deadline) return error;
  std::string why = error.message;
  if (error.field == "permission") {
    why = "no permission to use the socket: run Davit as root or as a member of the socket's group (docker)";
  } else if (address_.endpoint.kind == http::Endpoint::Kind::Unix && ::access(address_.endpoint.path.c_str(), F_OK) != 0) {
    why = "there is no such socket: is Docker installed and running? (systemctl start docker)";
  } else if (error.code == Code::Deadline) {
    why = "no answer in time: the engine hangs or is overloaded";
  }
  return Error{error.code, fmt::format("cannot reach the Docker Engine at {}: {}", where, why),
               std::string(model::engine_error::kEngineAway)};
}

}  // namespace davit::engine_docker
