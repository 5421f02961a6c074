// The simulator's engine in the place of a real one, on virtual time.
#include "base/check.hpp"
#include "conformance/engine/engine_suite.hpp"
#include "conformance/engine/suite_programs.hpp"
#include "sim/fake_engine.hpp"
#include "sim/virtual_loop.hpp"

namespace davit::conformance {
namespace {

class FakeHarness final : public EngineHarness {
 public:
  static std::unique_ptr<EngineHarness> make(std::string&) { return std::make_unique<FakeHarness>(); }

  ports::Engine& engine() override { return engine_; }
  Now now() override { return loop_.now(); }
  bool run_until(std::function<bool()> condition, Duration limit) override {
    auto const end = loop_.now().monotonic + limit;
    if (loop_.run_until(condition, limit)) return true;
    if (end > loop_.now().monotonic) loop_.advance(end - loop_.now().monotonic);
    return condition();
  }
  void stop_port() override {
    engine_.stop();
    loop_.run_until_idle();
  }

  std::string image() const override { return kSuiteImage; }
  std::string checked_image() const override { return kSuiteCheckedImage; }
  std::string publishing_network() const override { return "bridge"; }

  bool can_kill_engine() const override { return true; }
  void kill_engine() override { docker_.crash(sim::FakeDocker::Fate::Die); }
  void start_engine() override { docker_.start(); }
  void freeze_engine(bool frozen) override { frozen ? docker_.freeze() : docker_.thaw(); }

 private:
  sim::VirtualLoop loop_;
  sim::FakeDocker docker_{loop_, {.catalogue = suite_catalogue()}};
  sim::FakeEngine engine_{docker_};
};

EngineImplementation const kFake{"fake", FakeHarness::make};
std::string name_of(testing::TestParamInfo<EngineImplementation> const& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Engine, EngineSuite, testing::Values(kFake), name_of);
INSTANTIATE_TEST_SUITE_P(Engine, EngineLogSuite, testing::Values(kFake), name_of);

}  // namespace
}  // namespace davit::conformance
