#include "api/discovery.hpp"

#include <algorithm>

#include "api/answer.hpp"
#include "api/endpoint_cache.hpp"
#include "api/event_log.hpp"
#include "api/problem.hpp"
#include "api/request_options.hpp"
#include "api/service_reads.hpp"
#include "base/host_port.hpp"
#include "core/master/endpoints.hpp"
#include "runtime/wakeup.hpp"

namespace davit::api {
namespace asio = boost::asio;
namespace {

using codec::Value;

constexpr Duration kLook = 1s;  // not all that changes the list is an event: a node's connection, for one

// An empty list would take all of them out of service: a master that does not know says so, and the client keeps what it has.
std::optional<http::Response> refuse_uninformed(Call const& call) {
  if (auto refused = refuse_early_read(call)) return refused;
  if (call.context.master().is_informed()) return std::nullopt;
  return problem_of({Code::Unavailable, "this master does not know where all instances are; ask again in a moment, or another master", {}});
}

http::Response list_of(Call const& call) {
  auto& cache = call.context.endpoints;
  auto const* service = call.context.master().find_service(call.name);
  if (!service) {
    cache.forget(call.name);
    return service_not_found(call.name);
  }
  auto const& list = cache.of(call.context.master(), *service);
  http::Response response{.status = 200, .headers = {{"ETag", list.etag}, {"Cache-Control", "no-cache"}}, .body = {}};
  if (is_unchanged(call.request, list.etag)) {
    response.status = 304;
    return response;
  }
  response.headers.add("Content-Type", std::string(kJson));
  response.body = list.body;
  return response;
}

// Labels as Prometheus wants them named: letters, digits and underscores.
std::string label_name(std::string_view key) {
  std::string name = "__meta_davit_label_";
  for (char const c : key) {
    bool const is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    name += is_plain ? c : '_';
  }
  return name;
}

Value render_target(master::Service const& service, model::Endpoint const& endpoint) {
  auto labels = Value::object();
  for (auto const& [key, value] : service.head.spec()->labels.items) labels.set(label_name(key), value);
  labels.set("__meta_davit_service", service.head.name)
      .set("__meta_davit_slot", std::to_string(endpoint.slot))
      .set("__meta_davit_instance", davit::to_string(endpoint.instance))
      .set("__meta_davit_node", endpoint.node)
      .set("__meta_davit_target", std::to_string(endpoint.target))
      .set("__meta_davit_port_name", endpoint.name);
  return Value::object({{"targets", Value::array(host_port(endpoint.address, endpoint.port))}, {"labels", std::move(labels)}});
}

}  // namespace

asio::awaitable<http::Response> async_discover(Call call) {
  auto const wait = read_wait(call.request);
  if (!wait) co_return problem_of(wait.error());
  auto& context = call.context;
  auto const deadline = context.loop.now().monotonic + *wait;
  runtime::Wakeup news(context.loop);
  auto const subscription = context.events.subscribe([&news] { news.notify(); });
  for (;;) {
    if (auto refused = refuse_uninformed(call)) co_return *std::move(refused);
    auto response = list_of(call);
    auto const now = context.loop.now().monotonic;
    if (response.status != 304 || now >= deadline) co_return response;
    static_cast<void>(co_await news.async_wait_until(std::min(deadline, now + kLook)));
  }
}

http::Response list_targets(Call const& call) {
  if (auto refused = refuse_uninformed(call)) return *std::move(refused);
  auto const& master = call.context.master();
  auto const wanted = call.request.query_value("service");
  if (wanted && !master.find_service(*wanted)) return service_not_found(*wanted);
  Value::Array groups;
  for (auto const& [name, service] : master.services()) {
    if (!service.exists() || (wanted && name != *wanted)) continue;
    for (auto const& endpoint : master::endpoints_of(master, service)) {
      if (endpoint.protocol == model::Protocol::Tcp) groups.push_back(render_target(service, endpoint));
    }
  }
  return answer(200, Value(std::move(groups)));
}

}  // namespace davit::api
