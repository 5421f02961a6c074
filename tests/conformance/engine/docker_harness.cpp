#include "conformance/engine/docker_harness.hpp"

#include "base/check.hpp"
#include "conformance/engine/engine_suite.hpp"

namespace davit::conformance {

DockerHarness::DockerHarness(PrivateDocker& docker) : docker_(docker) {
  auto address = engine_docker::find_endpoint(docker_.host(), engine_docker::process_environment());
  CHECK(address, "{}", address.error().message);
  // Credentials are read in a folder where there are none unless the test has written some.
  engine_ = std::make_unique<engine_docker::DockerEngine>(
      loop_, engine_docker::DockerEngineOptions{std::move(*address), docker_.folder() / "config"});
}

DockerHarness::~DockerHarness() { stop_port(); }

std::unique_ptr<EngineHarness> DockerHarness::make(std::string& why_not) {
  auto* const docker = PrivateDocker::get(why_not);
  return docker ? std::make_unique<DockerHarness>(*docker) : nullptr;
}

void DockerHarness::stop_port() {
  engine_->stop();
  bool const stopped = loop_.run_until([this] { return engine_->is_stopped(); }, 10s);
  CHECK(stopped, "the adapter did not stop");
}

void DockerHarness::start_engine() { CHECK(docker_.start(), "dockerd does not come back"); }

EngineImplementation const kDocker{"docker", DockerHarness::make};
std::string name_of(testing::TestParamInfo<EngineImplementation> const& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Engine, EngineSuite, testing::Values(kDocker), name_of);
INSTANTIATE_TEST_SUITE_P(Engine, EngineLogSuite, testing::Values(kDocker), name_of);

}  // namespace davit::conformance
