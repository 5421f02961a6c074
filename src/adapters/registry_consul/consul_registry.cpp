#include "adapters/registry_consul/consul_registry.hpp"

#include <exception>
#include <utility>

#include <fmt/core.h>

#include "adapters/registry_consul/messages.hpp"

namespace davit::registry_consul {
namespace asio = boost::asio;
namespace {

constexpr std::uint64_t kBodyLimit = 32 << 20;  // 10,000 entries of a node are a fifth of it

http::ClientOptions options_of(ConsulAddress const& address) {
  return {.body_limit = kBodyLimit, .host_header = {}, .tls = {.ca = address.ca, .certificate = {}, .key = {}}};
}

}  // namespace

ConsulRegistry::ConsulRegistry(runtime::AsioLoop& loop, ConsulAddress address)
    : where_(http::to_string(address.endpoint)),
      token_(address.token),
      client_(loop, address.endpoint, options_of(address)),
      gate_(loop) {}

void ConsulRegistry::call(model::RegistryCall call, Monotonic deadline, ports::Done<model::RegistryReply> done) {
  runtime::spawn(gate_, "consul", async_run(std::move(call), deadline, std::move(done)));
}

asio::awaitable<void> ConsulRegistry::async_run(model::RegistryCall call, Monotonic deadline, ports::Done<model::RegistryReply> done) {
  Result<model::RegistryReply> outcome;
  try {
    auto request = request_of(call);
    if (!token_.empty()) request.headers.set("X-Consul-Token", token_);
    auto const answer = co_await client_.async_request(std::move(request), deadline);
    outcome = answer ? reply_of(call, *answer, where_) : std::unexpected(away(answer.error()));
  } catch (std::exception const& error) {
    if (gate_.is_closed()) throw;  // cancelled by stop()
    outcome = fail(Code::Internal, fmt::format("the question to Consul failed: {}", error.what()));
  }
  if (!gate_.is_closed()) done(std::move(outcome));
}

Error ConsulRegistry::away(Error const& error) const {
  if (error.code == Code::Deadline || error.code == Code::UnknownOutcome) {
    return {error.code, fmt::format("Consul at {} does not answer in time: {}", where_, error.message), {}};
  }
  if (error.code == Code::Exhausted) {
    return {Code::Unavailable,
            fmt::format("{} answers with more than Consul has to say; is --consul the address of a Consul agent?", where_),
            {}};
  }
  return {Code::Unavailable, fmt::format("Consul at {} does not answer: {}", where_, error.message), {}};
}

}  // namespace davit::registry_consul
