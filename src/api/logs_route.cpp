#include "api/logs_route.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/core.h>

#include "api/event_log.hpp"
#include "api/log_lines.hpp"
#include "api/log_sources.hpp"
#include "api/logs_query.hpp"
#include "api/problem.hpp"
#include "runtime/wakeup.hpp"

namespace davit::api {
namespace asio = boost::asio;

namespace {

constexpr std::size_t kChunkBytes = 64 * 1024;
constexpr std::size_t kMaxContainers = 500;  // each costs its node a connection to the engine
constexpr Duration kSilenceLimit = 10s;      // of a log that the others wait for

// Whose log is asked for; "" where there is none. A container that has not been started has no log to follow yet.
std::string container_of(service::Instance const& instance, LogsQuery const& query) {
  if (query.previous) return instance.detail->rare->previous_container;
  using model::InstanceState;
  bool const is_on_its_way = instance.state == InstanceState::Preparing || instance.state == InstanceState::Starting;
  bool const has_log = !query.what.follow || !is_on_its_way || instance.detail->started_at;
  return has_log ? instance.detail->container.id() : "";
}

class LogsStream {
 public:
  LogsStream(Context& context, std::string service, LogsQuery query, bool to_head, http::ResponseWriter& writer)
      : context_(context),
        service_(std::move(service)),
        query_(std::move(query)),
        to_head_(to_head),
        writer_(writer),
        lines_(service_, query_.as_ndjson),
        news_(context.loop),
        sources_(context.logs, query_.what, [this] { news_.notify(); }) {}

  asio::awaitable<void> async_run() {
    auto const subscription = context_.events.subscribe([this] { news_.notify(); });
    auto const* const type = query_.as_ndjson ? "application/x-ndjson" : "text/plain; charset=utf-8";
    auto sent =
        co_await writer_.async_begin(200, {{"Content-Type", type}, {"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}});
    while (sent && !to_head_ && writer_.is_open()) {
      update();
      auto chunk = next_chunk();
      if (!chunk.empty()) {
        sent = co_await writer_.async_write(std::move(chunk));
      } else if (is_over()) {
        break;
      } else if (!co_await news_.async_wait_until(wake_at()) && !query_.what.follow) {
        sources_.give_up_silent(fmt::format("no line and no end of its log for {}", format_duration(kSilenceLimit)));
      }
    }
    if (sent) (void)co_await writer_.async_end();
  }

 private:
  master::Service const* find_service() const {
    auto const* service = context_.master().find_service(service_);
    return service && service->exists() ? service : nullptr;
  }

  // Looks for containers that have come or gone; cheap when nothing has changed.
  void update() {
    auto const now = context_.loop.now().monotonic;
    auto const* const service = find_service();
    auto const version = service ? service->version : 0;
    if (!query_.what.follow && is_updated_) return;
    if (is_updated_ && version == seen_version_ && sources_.retry_at() > now) return;
    is_updated_ = true;
    seen_version_ = version;
    sources_.update(service ? origins(*service) : std::vector<LogOrigin>(), now);
  }

  std::vector<LogOrigin> origins(master::Service const& service) {
    std::vector<LogOrigin> all;
    std::size_t left_out = 0;
    for (auto const& instance : service.instances) {
      if (query_.slot && instance.slot != *query_.slot) continue;
      auto const* const node = context_.master().node(instance.node);
      auto container = container_of(instance, query_);
      if (!node || container.empty()) continue;
      if (all.size() == kMaxContainers) {
        ++left_out;
        continue;
      }
      all.push_back({.container = std::move(container),
                     .node = node->record.id,
                     .node_name = node->facts.name,
                     .is_reachable = node->is_connected,
                     .slot = instance.slot,
                     .instance = instance.id});
      lines_.widen_for(all.back());
    }
    if (left_out > 0 && !std::exchange(said_left_out_, true)) {
      notes_ += lines_.note(fmt::format("{} has more than {} containers with a log; {} are left out: ask for some by slot", service_,
                                        kMaxContainers, left_out));
    }
    return all;
  }

  std::string next_chunk() {
    auto chunk = std::exchange(notes_, {});
    while (chunk.size() < kChunkBytes) {
      auto const entry = sources_.take();
      if (!entry) break;
      chunk += lines_.render(*entry);
    }
    return chunk;
  }

  bool is_over() const { return sources_.is_finished() && (!query_.what.follow || !find_service()); }

  Monotonic wake_at() const { return query_.what.follow ? sources_.retry_at() : context_.loop.now().monotonic + kSilenceLimit; }

  Context& context_;
  std::string service_;
  LogsQuery query_;
  bool to_head_;
  http::ResponseWriter& writer_;
  LogLines lines_;
  std::string notes_;  // rendered, to go out first
  bool is_updated_ = false;
  bool said_left_out_ = false;
  std::uint64_t seen_version_ = 0;
  runtime::Wakeup news_;
  LogSources sources_;
};

asio::awaitable<void> async_run(std::unique_ptr<LogsStream> stream) { co_await stream->async_run(); }

asio::awaitable<void> async_answer(http::ResponseWriter* writer, http::Response response) {
  (void)co_await writer->async_send(std::move(response));
}

}  // namespace

asio::awaitable<void> async_serve_logs(Context& context, std::string service, http::Request request, http::ResponseWriter& writer) {
  auto query = read_logs_query(request, context.loop.now().wall);
  if (!query) return async_answer(&writer, problem_of(query.error()));
  if (context.master().phase() == master::Phase::Loading)
    return async_answer(&writer, problem_of({Code::Unavailable, "this master is reading its store; ask again in a moment", {}}));
  auto const* const known = context.master().find_service(service);
  if (!known || !known->exists()) return async_answer(&writer, service_not_found(service));
  return async_run(std::make_unique<LogsStream>(context, std::move(service), *std::move(query), request.method == "HEAD", writer));
}

}  // namespace davit::api
