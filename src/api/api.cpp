#include "api/api.hpp"

#include <functional>

#include "api/access.hpp"
#include "api/context.hpp"
#include "api/endpoint_cache.hpp"
#include "api/event_log.hpp"
#include "api/list_cache.hpp"
#include "api/metrics.hpp"
#include "api/problem.hpp"
#include "api/request_options.hpp"
#include "api/routes.hpp"
#include "api/seen.hpp"

namespace davit::api {
namespace asio = boost::asio;

namespace {

// Counts a stream when it is over, however it ends, with the status that it began with.
class ObservedWriter final : public http::ResponseWriter {
 public:
  ObservedWriter(http::ResponseWriter& writer, std::function<void(int)> observe) : writer_(writer), observe_(std::move(observe)) {}
  ~ObservedWriter() override { observe_(status_); }

  asio::awaitable<Status> async_send(http::Response response) override {
    status_ = response.status;
    return writer_.async_send(std::move(response));
  }
  asio::awaitable<Status> async_begin(int status, http::Headers headers) override {
    status_ = status;
    return writer_.async_begin(status, std::move(headers));
  }
  asio::awaitable<Status> async_write(std::string chunk) override { return writer_.async_write(std::move(chunk)); }
  asio::awaitable<Status> async_end() override { return writer_.async_end(); }
  bool is_open() const override { return writer_.is_open(); }

 private:
  http::ResponseWriter& writer_;
  std::function<void(int)> observe_;
  int status_ = 500;
};

}  // namespace

struct Api::Impl {
  Impl(runtime::AsioLoop& loop, drivers::MasterDriver& driver, ports::InstanceLogs& logs, ApiOptions options)
      : boot(static_cast<std::uint64_t>(loop.now().wall.time_since_epoch().count())),
        events(options.node, boot),
        metrics(options.version),
        lists(boot),
        access({std::move(options.token), std::move(options.listen_host), options.node, std::move(options.hosts)}),
        router(all_routes()),
        context{
            loop, driver, logs, events, metrics, lists, endpoints, std::move(options.version), std::move(options.node), options.is_worker} {
  }

  std::optional<http::Response> answer_fast(http::Request const& request);
  std::optional<http::Response> try_answer(http::Request const& request);
  http::Response with_age(http::Response response) const;
  asio::awaitable<void> async_answer(http::Request request, http::ResponseWriter* writer);
  void observe(std::string_view method, int status, Monotonic since) {
    metrics.observe_request(method, status, context.loop.now().monotonic - since);
  }

  std::uint64_t boot;  // tells this life of the process from others
  EventLog events;
  Metrics metrics;
  ListCache lists;
  EndpointCache endpoints;
  Access access;
  Router router;
  Context context;
};

Api::Api(runtime::AsioLoop& loop, drivers::MasterDriver& driver, ports::InstanceLogs& logs, ApiOptions options)
    : impl_(std::make_unique<Impl>(loop, driver, logs, std::move(options))) {}

Api::~Api() = default;

http::ServerOptions Api::server_options() {
  http::ServerOptions options;
  options.fast_handler = [impl = impl_.get()](http::Request const& request) { return impl->answer_fast(request); };
  options.handler = [impl = impl_.get()](http::Request request, http::ResponseWriter& writer) {
    return impl->async_answer(std::move(request), &writer);
  };
  options.on_protocol_error = protocol_problem;
  return options;
}

void Api::on_changed(master::Transition const& transition) {
  impl_->metrics.on_changed(transition);
  impl_->events.append(transition);
}

std::optional<http::Response> Api::Impl::answer_fast(http::Request const& request) {
  auto const since = context.loop.now().monotonic;
  auto response = try_answer(request);
  if (response) observe(request.method, response->status, since);
  return response;
}

// Refusals, and what lies in memory.
std::optional<http::Response> Api::Impl::try_answer(http::Request const& request) {
  if (auto refused = access.refuse(request)) return refused;
  auto match = router.match(request);
  if (auto* ready = std::get_if<http::Response>(&match)) return std::move(*ready);
  auto& found = std::get<Router::Found>(match);
  auto const* read = std::get_if<Read>(&found.route->action);
  auto const revision = read_revision(request);
  if (!read || (revision && !has_seen(context, *revision))) return std::nullopt;
  return with_age((*read)(Call{context, request, std::move(found.name)}));
}

http::Response Api::Impl::with_age(http::Response response) const {
  if (auto const age = context.master().view_age(context.loop.now().monotonic)) {
    response.headers.add("Davit-View-Age", format_duration(std::chrono::floor<std::chrono::milliseconds>(*age)));
  }
  return response;
}

// What the fast handler has let through: the route is there.
asio::awaitable<void> Api::Impl::async_answer(http::Request request, http::ResponseWriter* writer) {
  auto const since = context.loop.now().monotonic;
  auto match = router.match(request);
  auto* found = std::get_if<Router::Found>(&match);
  if (!found) co_return;
  Call const call{context, request, std::move(found->name)};
  if (auto const revision = read_revision(request)) co_await async_until_seen(&context, *revision);
  if (auto const* stream = std::get_if<Stream>(&found->route->action)) {
    ObservedWriter observed(*writer, [&](int status) { observe(request.method, status, since); });
    co_await (*stream)(call, &observed);
    co_return;
  }
  auto const* read = std::get_if<Read>(&found->route->action);
  auto response = read ? (*read)(call) : co_await std::get<Task>(found->route->action)(call);
  if (request.method == "GET" || request.method == "HEAD") response = with_age(std::move(response));
  observe(request.method, response.status, since);
  (void)co_await writer->async_send(std::move(response));
}

}  // namespace davit::api
