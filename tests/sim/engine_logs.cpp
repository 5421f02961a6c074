#include "sim/engine_logs.hpp"

#include <algorithm>
#include <utility>

namespace davit::sim {

struct EngineLogs::Flow {
  std::uint64_t caller = 0;
  std::shared_ptr<ContainerLog const> log;
  ports::LogQuery query;
  std::function<void(ports::LogLine)> on_line;
  std::function<void(Status)> on_end;
  std::size_t next = 0;          // line of the log
  std::size_t skip = 0;          // matching lines before the tail
  std::optional<Error> error;    // with which it ends
  bool is_paused = false;
  bool is_over = false;          // ended or abandoned
  bool is_scheduled = false;

  bool matches(ports::LogLine const& line) const {
    bool const is_wanted = line.stream == ports::LogStream::Stdout ? query.with_stdout : query.with_stderr;
    return is_wanted && (!query.since || line.time >= *query.since);
  }
  bool is_at_end() const { return error || (next == log->lines.size() && !(query.follow && log->is_growing)); }
};

class EngineLogs::Handle final : public ports::LogReader {
 public:
  Handle(EngineLogs& logs, std::shared_ptr<Flow> flow) : logs_(logs), alive_(logs.alive_), flow_(std::move(flow)) {}
  Handle(Handle const&) = delete;
  Handle& operator=(Handle const&) = delete;
  ~Handle() override { flow_->is_over = true; }

  void pause() override { flow_->is_paused = true; }
  void resume() override {
    flow_->is_paused = false;
    if (!alive_.expired()) logs_.schedule(flow_);
  }

 private:
  EngineLogs& logs_;
  std::weak_ptr<bool> alive_;
  std::shared_ptr<Flow> flow_;
};

std::unique_ptr<ports::LogReader> EngineLogs::read(std::uint64_t caller, std::shared_ptr<ContainerLog const> log, ports::LogQuery query,
                                                   std::function<void(ports::LogLine)> on_line, std::function<void(Status)> on_end) {
  auto flow = std::make_shared<Flow>(
      Flow{.caller = caller, .log = std::move(log), .query = std::move(query), .on_line = std::move(on_line), .on_end = std::move(on_end)});
  if (auto const tail = flow->query.tail) {
    auto const matching = std::ranges::count_if(flow->log->lines, [&](auto const& line) { return flow->matches(line); });
    flow->skip = static_cast<std::size_t>(std::max<std::int64_t>(0, matching - *tail));
  }
  return add(std::move(flow));
}

std::unique_ptr<ports::LogReader> EngineLogs::refuse(std::uint64_t caller, Error error, std::function<void(Status)> on_end) {
  return add(std::make_shared<Flow>(Flow{.caller = caller, .on_end = std::move(on_end), .error = std::move(error)}));
}

std::unique_ptr<ports::LogReader> EngineLogs::add(std::shared_ptr<Flow> flow) {
  std::erase_if(flows_, [](auto const& each) { return each.expired(); });
  flows_.push_back(flow);
  schedule(flow);
  return std::make_unique<Handle>(*this, std::move(flow));
}

void EngineLogs::schedule(std::shared_ptr<Flow> const& flow) {
  if (flow->is_scheduled || flow->is_over) return;
  flow->is_scheduled = true;
  loop_.post([this, alive = std::weak_ptr(alive_), weak = std::weak_ptr(flow)] {
    if (auto const same = weak.lock(); same && !alive.expired()) deliver(same);
  });
}

// on_line may pause the flow or destroy its handle.
void EngineLogs::deliver(std::shared_ptr<Flow> const& flow) const {
  flow->is_scheduled = false;
  auto const may_go_on = [&] { return !flow->is_over && !flow->is_paused && !is_frozen_; };
  while (may_go_on() && flow->log && flow->next < flow->log->lines.size()) {
    auto line = flow->log->lines[flow->next++];
    if (!flow->matches(line)) continue;
    if (flow->skip > 0) --flow->skip;
    else flow->on_line(std::move(line));
  }
  if (!may_go_on() || !flow->is_at_end()) return;
  flow->is_over = true;
  flow->on_end(flow->error ? Status(std::unexpected(*flow->error)) : Status());
}

void EngineLogs::wake() {
  for (auto const& weak : flows_) {
    if (auto const flow = weak.lock()) schedule(flow);
  }
}

void EngineLogs::set_frozen(bool frozen) {
  is_frozen_ = frozen;
  if (!frozen) wake();
}

void EngineLogs::end_all(Error const& error) {
  for (auto const& weak : flows_) {
    if (auto const flow = weak.lock()) flow->error = error;
  }
  wake();
}

void EngineLogs::drop(std::uint64_t caller) {
  for (auto const& weak : flows_) {
    if (auto const flow = weak.lock(); flow && flow->caller == caller) flow->is_over = true;
  }
}

}  // namespace davit::sim
