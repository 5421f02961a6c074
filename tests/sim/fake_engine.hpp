// One process's connection to a FakeDocker. Dies with the process: what was asked still happens on the engine, and nobody is
// told. Several may speak to one engine.
#pragma once

#include "sim/fake_docker.hpp"

namespace davit::sim {

class FakeEngine final : public ports::Engine {
 public:
  explicit FakeEngine(FakeDocker& docker) : docker_(docker), caller_(docker.connect()) {}
  ~FakeEngine() override { stop(); }
  FakeEngine(FakeEngine const&) = delete;
  FakeEngine& operator=(FakeEngine const&) = delete;

  void call(model::EngineCall call, Monotonic deadline, ports::Done<model::EngineReply> done) override;
  void watch(std::function<void(model::EngineHint)> on_hint) override;
  std::unique_ptr<ports::LogReader> read_logs(ports::LogQuery query, std::function<void(ports::LogLine)> on_line,
                                              std::function<void(Status)> on_end) override;
  void stop() override;

 private:
  FakeDocker& docker_;
  std::uint64_t caller_;
  bool is_stopped_ = false;
};

}  // namespace davit::sim
