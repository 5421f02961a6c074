// What the containers of one engine have printed, and who reads it. Owned by FakeDocker; lines are delivered by posts.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "ports/engine.hpp"
#include "ports/loop.hpp"

namespace davit::sim {

struct ContainerLog {
  std::vector<ports::LogLine> lines;
  bool is_growing = false;  // the container runs
};

class EngineLogs {
 public:
  explicit EngineLogs(ports::Loop& loop) : loop_(loop) {}

  std::unique_ptr<ports::LogReader> read(std::uint64_t caller, std::shared_ptr<ContainerLog const> log, ports::LogQuery query,
                                         std::function<void(ports::LogLine)> on_line, std::function<void(Status)> on_end);
  // A reading that ends at once with this error.
  std::unique_ptr<ports::LogReader> refuse(std::uint64_t caller, Error error, std::function<void(Status)> on_end);
  // Something was printed, or a container has ended.
  void wake();
  void set_frozen(bool frozen);  // no line comes while frozen
  void end_all(Error const& error);
  void drop(std::uint64_t caller);  // its readings end in silence

 private:
  struct Flow;
  class Handle;

  std::unique_ptr<ports::LogReader> add(std::shared_ptr<Flow> flow);
  void schedule(std::shared_ptr<Flow> const& flow);
  void deliver(std::shared_ptr<Flow> const& flow) const;

  ports::Loop& loop_;
  bool is_frozen_ = false;
  std::vector<std::weak_ptr<Flow>> flows_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace davit::sim
