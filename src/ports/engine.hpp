// A container engine on this node. Implementations: adapters/engine_docker, tests/sim (fake).
//
// Calls follow the rule of all ports: `done` runs exactly once, on the control thread, never inside call(), never after
// stop(). Success is what the caller wanted to be true: starting what runs, stopping what has ended, removing what is gone
// are successes. Errors carry one of model::engine_error in `field` where the agent reacts to it; Code::Unavailable with
// kEngineAway says that the engine could not be asked, Code::UnknownOutcome that it may have done it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "model/engine.hpp"
#include "ports/done.hpp"

namespace davit::ports {

enum class LogStream : std::uint8_t { Stdout, Stderr };

struct LogLine {
  Wall time;
  LogStream stream = LogStream::Stdout;
  std::string text;  // without the newline; bytes as the process printed them
};

struct LogQuery {
  std::string container;
  bool follow = false;
  std::optional<std::int64_t> tail;  // absent: all
  std::optional<Wall> since;
  bool with_stdout = true;
  bool with_stderr = true;
};

// A stream of lines; destroying it ends it. Control thread only.
class LogReader {
 public:
  virtual ~LogReader() = default;
  // For flow control: no more lines come while paused.
  virtual void pause() = 0;
  virtual void resume() = 0;
};

class Engine {
 public:
  virtual ~Engine() = default;
  virtual void call(model::EngineCall call, Monotonic deadline, Done<model::EngineReply> done) = 0;
  // Connects and goes on connecting; each change of the connection and each event of the engine is a hint. Once.
  virtual void watch(std::function<void(model::EngineHint)> on_hint) = 0;
  // on_end runs once, after the last line; an error says why lines may be missing.
  virtual std::unique_ptr<LogReader> read_logs(LogQuery query, std::function<void(LogLine)> on_line,
                                               std::function<void(Status)> on_end) = 0;
  virtual void stop() = 0;
};

}  // namespace davit::ports
