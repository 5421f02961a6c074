// ports::Engine for one life of an agent: the engine of its machine, heard on the process's own loop and asked by its own clock.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "ports/engine.hpp"
#include "sim/fake_engine.hpp"
#include "sim/net/dialler.hpp"
#include "sim/observer.hpp"

namespace davit::sim {

class EngineClient final : public ports::Engine {
 public:
  EngineClient(Place place, FakeDocker& docker, Observer& observer) : place_(place), observer_(observer), engine_(docker) {}
  EngineClient(EngineClient const&) = delete;
  EngineClient& operator=(EngineClient const&) = delete;

  void call(model::EngineCall call, Monotonic deadline, ports::Done<model::EngineReply> done) override;
  void watch(std::function<void(model::EngineHint)> on_hint) override;
  std::unique_ptr<ports::LogReader> read_logs(ports::LogQuery, std::function<void(ports::LogLine)>, std::function<void(Status)>) override {
    return nullptr;  // no machine reads logs
  }
  void stop() override { engine_.stop(); }

 private:
  struct Call {
    ports::Done<model::EngineReply> done;
    std::unique_ptr<ports::Timer> deadline;
  };
  void finish(std::uint64_t id, Result<model::EngineReply> outcome);

  Place place_;
  Observer& observer_;
  FakeEngine engine_;
  std::map<std::uint64_t, Call> calls_;
  std::uint64_t last_call_ = 0;
};

}  // namespace davit::sim
