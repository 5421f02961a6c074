// The logs of many containers as one: opens a reader for each, holds each back when its lines are not taken, and gives out
// the oldest line that lies ready. Owned by the answer to one request; control thread.
//
// Memory is bounded whatever the client does: kQueuedBytes over all readers, and one line of each.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "ports/instance_logs.hpp"

namespace davit::api {

// A container whose log is wanted, and what its lines are marked with.
struct LogOrigin {
  std::string container;
  NodeId node;
  std::string node_name;
  bool is_reachable = true;  // false: its node is not connected
  std::uint32_t slot = 0;
  InstanceId instance;
};

// A line, or else why lines may be missing. The origin is valid until the next update().
struct LogEntry {
  LogOrigin const* origin = nullptr;
  std::optional<ports::LogLine> line;
  std::string warning;
};

class LogSources {
 public:
  static constexpr std::size_t kQueuedBytes = 256 * 1024;
  static constexpr Duration kRetryInterval = 2s;  // of a reader that failed while following

  // `what`: follow, tail, since and the streams; its container is ignored. `on_news` runs when take() may give something.
  LogSources(ports::InstanceLogs& logs, ports::LogQuery what, std::function<void()> on_news);

  // All containers that there are now. New ones join; of those that are missing what lies ready is still given out.
  void update(std::vector<LogOrigin> const& origins, Monotonic now);

  // Not following: only once every log has said how its next line is dated, so that lines come in the order of time.
  std::optional<LogEntry> take();
  // Warns of those that keep take() waiting, and goes on without them.
  void give_up_silent(std::string const& why);

  bool is_finished() const;   // every log has ended and been given out
  Monotonic retry_at() const;  // when update() should be called again although nothing has changed

 private:
  struct Source {
    LogOrigin origin;
    std::deque<ports::LogLine> lines;
    std::size_t bytes = 0;
    bool is_paused = false;
    bool has_ended = false;
    Monotonic retry_at = kNever;
    Wall newest{};        // of the lines that came
    std::string warning;  // the last one, which is not said twice
    std::unique_ptr<ports::LogReader> reader;
  };

  void open(Source& source);
  void on_line(Source& source, ports::LogLine line);
  void on_end(Source& source, Status const& status);
  void warn(Source& source, std::string why);
  std::size_t share() const { return kQueuedBytes / (sources_.empty() ? 1 : sources_.size()); }

  ports::InstanceLogs& logs_;
  ports::LogQuery what_;
  std::function<void()> on_news_;
  Monotonic now_{};  // of the last update()
  bool is_first_update_ = true;
  std::deque<LogEntry> warnings_;
  std::map<std::string, std::unique_ptr<Source>> sources_;  // by container; last, so that no reader outlives what it calls
};

}  // namespace davit::api
