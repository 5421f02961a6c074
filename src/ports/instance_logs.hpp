// The logs of a container on some node, as a master reads them. Implemented by the link; see ports/engine.hpp for the rules.
#pragma once

#include <functional>
#include <memory>

#include "base/ids.hpp"
#include "ports/engine.hpp"

namespace davit::ports {

class InstanceLogs {
 public:
  virtual ~InstanceLogs() = default;
  virtual std::unique_ptr<LogReader> read(NodeId node, LogQuery query, std::function<void(LogLine)> on_line,
                                          std::function<void(Status)> on_end) = 0;
};

}  // namespace davit::ports
