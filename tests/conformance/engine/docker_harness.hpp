// The production adapter against a real Docker Engine.
#pragma once

#include <memory>
#include <string>

#include "adapters/engine_docker/docker_engine.hpp"
#include "conformance/engine/engine_harness.hpp"
#include "conformance/engine/private_docker.hpp"
#include "runtime/asio_loop.hpp"

namespace davit::conformance {

class DockerHarness final : public EngineHarness {
 public:
  explicit DockerHarness(PrivateDocker& docker);
  ~DockerHarness() override;
  static std::unique_ptr<EngineHarness> make(std::string& why_not);

  ports::Engine& engine() override { return *engine_; }
  Now now() override { return loop_.now(); }
  bool run_until(std::function<bool()> condition, Duration limit) override { return loop_.run_until(condition, limit); }
  void stop_port() override;

  std::string image() const override { return docker_.image(); }
  std::string checked_image() const override { return docker_.checked_image(); }
  std::string publishing_network() const override { return docker_.network(); }

  bool can_kill_engine() const override { return docker_.is_ours(); }
  void kill_engine() override { docker_.kill(); }
  void start_engine() override;
  void freeze_engine(bool frozen) override { docker_.freeze(frozen); }

 private:
  PrivateDocker& docker_;
  runtime::AsioLoop loop_;
  std::unique_ptr<engine_docker::DockerEngine> engine_;
};

}  // namespace davit::conformance
