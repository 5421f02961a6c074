// One reading of a container's log, and the handle that its reader holds.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include <boost/asio/awaitable.hpp>

#include "adapters/engine_docker/api_client.hpp"
#include "ports/engine.hpp"
#include "runtime/asio_loop.hpp"
#include "runtime/wakeup.hpp"

namespace davit::engine_docker {

// Shared by the handle and the coroutine that reads. Control thread.
struct LogFlow {
  LogFlow(runtime::AsioLoop& loop, ports::LogQuery its_query) : query(std::move(its_query)), changed(loop) {}

  ports::LogQuery query;
  std::function<void(ports::LogLine)> on_line;
  std::function<void(Status)> on_end;
  bool paused = false;
  bool abandoned = false;  // nobody listens any more: neither function is called again
  runtime::Wakeup changed;
  std::optional<http::Stream> stream;
};

class LogHandle final : public ports::LogReader {
 public:
  explicit LogHandle(std::shared_ptr<LogFlow> flow) : flow_(std::move(flow)) {}
  ~LogHandle() override;
  void pause() override { flow_->paused = true; }
  void resume() override;

 private:
  std::shared_ptr<LogFlow> flow_;
};

// Gives out lines until the log ends, fails or is abandoned; the result is for on_end.
boost::asio::awaitable<Status> async_read_log(runtime::AsioLoop* loop, ApiClient* api, std::shared_ptr<LogFlow> flow);

}  // namespace davit::engine_docker
