#include "adapters/engine_docker/log_stream.hpp"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "adapters/engine_docker/engine_errors.hpp"
#include "adapters/engine_docker/engine_json.hpp"
#include "adapters/engine_docker/log_frames.hpp"
#include "adapters/engine_docker/replies.hpp"

namespace davit::engine_docker {
namespace asio = boost::asio;
namespace {

constexpr Duration kOpenTimeout = 30s;

Ask logs_ask(ports::LogQuery const& query) {
  Ask ask;
  ask.path = fmt::format("/containers/{}/logs", http::percent_encode(query.container));
  ask.query = {{"timestamps", "1"},
               {"stdout", query.with_stdout ? "1" : "0"},
               {"stderr", query.with_stderr ? "1" : "0"},
               {"follow", query.follow ? "1" : "0"},
               {"tail", query.tail ? std::to_string(*query.tail) : "all"}};
  if (query.since) {
    constexpr std::int64_t kMillisPerSecond = 1000;
    auto const millis = query.since->time_since_epoch().count();
    ask.query.emplace_back("since", fmt::format("{}.{:03}000000", millis / kMillisPerSecond, millis % kMillisPerSecond));
  }
  return ask;
}

// Only the container's configuration says in which of the two forms its log comes: older engines do not in their answer.
asio::awaitable<Result<bool>> async_has_tty(ApiClient* api, std::string container, Monotonic deadline) {
  Ask ask;
  ask.path = fmt::format("/containers/{}/json", http::percent_encode(container));
  auto const answer = co_await api->async_request(std::move(ask), deadline);
  if (!answer) co_return std::unexpected(answer.error());
  if (!answer->is_ok()) co_return std::unexpected(container_error(answer->status, answer->message()));
  auto const container_json = parse_engine_json(answer->body);
  if (!container_json) co_return fail(Code::Internal, "the engine's answer: " + container_json.error().message);
  co_return has_tty(*container_json);
}

// on_line may pause the flow or destroy its handle.
asio::awaitable<void> async_deliver(std::shared_ptr<LogFlow> flow, std::vector<ports::LogLine> lines) {
  for (auto& line : lines) {
    while (flow->paused && !flow->abandoned) co_await flow->changed.async_wait();
    if (flow->abandoned) co_return;
    flow->on_line(std::move(line));
  }
  while (flow->paused && !flow->abandoned) co_await flow->changed.async_wait();
}

}  // namespace

LogHandle::~LogHandle() {
  flow_->abandoned = true;
  if (flow_->stream) flow_->stream->close();
  flow_->changed.notify();
}

void LogHandle::resume() {
  flow_->paused = false;
  flow_->changed.notify();
}

asio::awaitable<Status> async_read_log(runtime::AsioLoop* loop, ApiClient* api, std::shared_ptr<LogFlow> flow) {
  auto const deadline = loop->now().monotonic + kOpenTimeout;
  auto const tty = co_await async_has_tty(api, flow->query.container, deadline);
  if (!tty) co_return std::unexpected(tty.error());
  if (flow->abandoned) co_return Status{};
  auto stream = co_await api->async_open(logs_ask(flow->query), deadline);
  if (!stream) co_return std::unexpected(stream.error());
  if (stream->status() != 200) {
    auto const answer = co_await api->async_read_answer(&*stream, deadline);
    if (!answer) co_return std::unexpected(answer.error());
    co_return std::unexpected(container_error(answer->status, answer->message()));
  }
  flow->stream.emplace(std::move(*stream));
  LogSplitter splitter(*tty);
  while (!flow->abandoned) {
    auto const bytes = co_await flow->stream->async_read();
    bool const is_over = !bytes || bytes->empty();
    std::vector<ports::LogLine> lines;
    Status pushed;
    if (is_over) splitter.finish(lines);
    else pushed = splitter.push(*bytes, lines);
    co_await async_deliver(flow, std::move(lines));
    if (!bytes) co_return std::unexpected(api->away(bytes.error()));
    if (is_over || !pushed) co_return pushed;
  }
  co_return Status{};
}

}  // namespace davit::engine_docker
