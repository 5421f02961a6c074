#include "adapters/prober/net_prober.hpp"

#include <exception>
#include <utility>

#include <fmt/core.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/host_port.hpp"
#include "http/client.hpp"
#include "runtime/deadline.hpp"

namespace davit::prober {
namespace asio = boost::asio;
namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

asio::awaitable<Result<void>> async_connect(runtime::AsioLoop* loop, model::ProbeTarget target) {
  boost::system::error_code error;
  auto const address = asio::ip::make_address(target.host, error);
  if (error) co_return fail(Code::Invalid, fmt::format("'{}' is no address", target.host));
  asio::ip::tcp::socket socket(loop->context());
  auto const [failed] = co_await socket.async_connect({address, target.port}, kAwait);
  if (failed == asio::error::operation_aborted) throw boost::system::system_error(failed);  // the deadline speaks
  if (failed) co_return fail(Code::Unavailable, fmt::format("{}: {}", host_port(target.host, target.port), failed.message()));
  co_return Result<void>();
}

// The status says it; the body is nobody's.
asio::awaitable<Result<void>> async_get(runtime::AsioLoop* loop, model::ProbeTarget target, Monotonic deadline) {
  http::Endpoint const endpoint{.kind = http::Endpoint::Kind::Tcp, .path = {}, .host = target.host, .port = target.port};
  http::Client client(*loop, endpoint, {.connect_timeout = deadline - loop->now().monotonic, .max_idle = 0, .host_header = {}, .tls = {}});
  http::Request request;
  request.target = *target.path;
  request.headers = {{"User-Agent", "davit-probe"}, {"Connection", "close"}};
  auto const answer = co_await client.async_open(std::move(request), deadline);
  if (!answer) co_return fail(answer.error().code, fmt::format("GET {}: {}", *target.path, answer.error().message));
  bool const is_good = answer->status() >= 200 && answer->status() < 400;
  if (!is_good) co_return fail(Code::Unavailable, fmt::format("GET {} answers {}", *target.path, answer->status()));
  co_return Result<void>();
}

}  // namespace

void NetProber::probe(model::ProbeTarget target, Monotonic deadline, ports::Done<void> done) {
  auto const name = "probe " + host_port(target.host, target.port);
  runtime::spawn(gate_, name, async_run(std::move(target), deadline, std::move(done)));
}

asio::awaitable<void> NetProber::async_run(model::ProbeTarget target, Monotonic deadline, ports::Done<void> done) {
  auto const what = host_port(target.host, target.port);
  auto attempt = target.path ? async_get(&loop_, std::move(target), deadline) : async_connect(&loop_, std::move(target));
  Status outcome;
  try {
    outcome = co_await runtime::async_with_deadline(loop_, deadline, what, std::move(attempt));
  } catch (std::exception const& error) {
    if (gate_.is_closed()) throw;  // cancelled by stop()
    outcome = fail(Code::Internal, fmt::format("the probe failed: {}", error.what()));
  }
  if (!gate_.is_closed()) done(std::move(outcome));
}

}  // namespace davit::prober
