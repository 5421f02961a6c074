#include "sim/fake_engine.hpp"

#include <utility>

namespace davit::sim {

void FakeEngine::call(model::EngineCall call, Monotonic deadline, ports::Done<model::EngineReply> done) {
  if (!is_stopped_) docker_.call(caller_, std::move(call), deadline, std::move(done));
}

void FakeEngine::watch(std::function<void(model::EngineHint)> on_hint) {
  if (!is_stopped_) docker_.watchers_.add(caller_, std::move(on_hint));
}

std::unique_ptr<ports::LogReader> FakeEngine::read_logs(ports::LogQuery query, std::function<void(ports::LogLine)> on_line,
                                                        std::function<void(Status)> on_end) {
  auto reader = docker_.read_logs(caller_, std::move(query), std::move(on_line), std::move(on_end));
  if (is_stopped_) docker_.logs_.drop(caller_);
  return reader;
}

void FakeEngine::stop() {
  if (!std::exchange(is_stopped_, true)) docker_.disconnect(caller_);
}

}  // namespace davit::sim
