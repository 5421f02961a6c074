#include "api/events_route.hpp"

#include <fmt/core.h>

#include "api/event_log.hpp"
#include "runtime/wakeup.hpp"

namespace davit::api {
namespace asio = boost::asio;

namespace {

constexpr Duration kCommentInterval = 15s;      // tells both sides, and proxies between them, that the other one lives
constexpr std::size_t kChunkBytes = 64 * 1024;  // events that lie ready go out together

// One client that follows. It holds no events of its own, so a slow one costs nothing.
class EventStream {
 public:
  EventStream(Context& context, http::Request request, http::ResponseWriter& writer)
      : context_(context),
        events_(context.events),
        request_(std::move(request)),
        writer_(writer),
        news_(context.loop) {}

  asio::awaitable<void> async_run() {
    auto const subscription = events_.subscribe([this] { news_.notify(); });
    auto sent = co_await writer_.async_begin(200, {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}});
    if (sent) sent = co_await writer_.async_write(open());
    if (request_.method == "HEAD") {
      if (sent) (void)co_await writer_.async_end();
      co_return;
    }
    while (sent && writer_.is_open()) {
      auto chunk = next_chunk();
      if (chunk.empty() && !co_await news_.async_wait_until(context_.loop.now().monotonic + kCommentInterval)) chunk = comment();
      if (!chunk.empty()) sent = co_await writer_.async_write(std::move(chunk));
    }
  }

 private:
  // An id without data gives the client something to resume from before the first event.
  std::string open() {
    seen_ = events_.newest();
    auto const id = last_id();
    if (id.empty()) return fmt::format("id: {}\n\n", events_.id_of(seen_));
    auto const resumed = events_.resume_after(id);
    if (!resumed) return reset();
    seen_ = *resumed;
    return ":\n\n";
  }

  // The browser's own header comes before what the first request said.
  std::string_view last_id() const {
    if (auto const id = request_.headers.find("Last-Event-ID"); id && !id->empty()) return *id;
    if (auto const id = request_.query_value("since_id")) return *id;
    return request_.query_value("last_event_id").value_or(std::string_view{});
  }

  std::string reset() {
    seen_ = events_.newest();
    return fmt::format("id: {}\nevent: reset\ndata: {{\"type\":\"reset\",\"message\":\"events were lost: list again\"}}\n\n",
                       events_.id_of(seen_));
  }

  std::string next_chunk() {
    if (!events_.has_all_after(seen_)) return reset();
    std::string chunk;
    while (seen_ < events_.newest() && chunk.size() < kChunkBytes) {
      auto const& event = *events_.find(++seen_);
      if (matches(event)) chunk += event.frame;
    }
    return chunk;
  }

  // With the id, because a filter may have let nothing through for longer than the log remembers.
  std::string comment() const { return fmt::format(":\nid: {}\n\n", events_.id_of(seen_)); }

  bool matches(LoggedEvent const& event) const {
    return passes("service", [&](std::string_view wanted) { return event.service == wanted; }) &&
           passes("node", [&](std::string_view wanted) { return event.node == wanted; }) &&
           passes("type", [&](std::string_view wanted) { return event.type.starts_with(wanted); });
  }

  // A filter that is given several times lets each of its values through.
  template <class Test>
  bool passes(std::string_view filter, Test&& test) const {
    bool is_given = false;
    for (auto const& [name, value] : request_.query) {
      if (name != filter || value.empty()) continue;
      if (test(value)) return true;
      is_given = true;
    }
    return !is_given;
  }

  Context& context_;
  EventLog& events_;
  http::Request request_;
  http::ResponseWriter& writer_;
  runtime::Wakeup news_;
  EventLog::Number seen_ = 0;
};

asio::awaitable<void> async_run(std::unique_ptr<EventStream> stream) { co_await stream->async_run(); }

}  // namespace

asio::awaitable<void> async_serve_events(Context& context, http::Request request, http::ResponseWriter& writer) {
  return async_run(std::make_unique<EventStream>(context, std::move(request), writer));
}

}  // namespace davit::api
