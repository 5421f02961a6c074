// Containers from creation to removal.
#include "conformance/engine/engine_suite.hpp"

namespace davit::conformance {
namespace {

using namespace model::engine_error;
using model::ContainerState;

TEST_P(EngineSuite, LeadsAContainerThroughItsLife) {
  auto const id = create(container("a", {"sleep", "600"}));
  auto const created = inspect(id);
  EXPECT_EQ(created.state, ContainerState::Created);
  EXPECT_EQ(created.name, prefix_ + "-a");
  EXPECT_EQ(created.labels.at("davit.cluster"), prefix_);
  EXPECT_TRUE(created.created_at);
  EXPECT_FALSE(created.started_at);

  ASSERT_TRUE(order(model::StartContainer{id}));
  auto const running = inspect(created.name);
  EXPECT_EQ(running.id, id);
  EXPECT_EQ(running.state, ContainerState::Running);
  EXPECT_TRUE(running.started_at);
  EXPECT_FALSE(running.finished_at);

  ASSERT_TRUE(order(model::StopContainer{id, 0s}));
  auto const ended = inspect(id);
  EXPECT_EQ(ended.state, ContainerState::Exited);
  EXPECT_EQ(ended.exit_code, 137);
  EXPECT_TRUE(ended.finished_at);

  ASSERT_TRUE(order(model::RemoveContainer{id}));
  auto const gone = call(model::InspectContainer{id});
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().field, kNoSuchContainer);
  EXPECT_EQ(gone.error().code, Code::NotFound);
}

TEST_P(EngineSuite, SucceedsAtWhatIsTrueAlready) {
  auto const id = start("a", {"sleep", "600"});
  EXPECT_TRUE(order(model::StartContainer{id}));
  EXPECT_TRUE(order(model::KillContainer{id}));
  ASSERT_TRUE(wait_for_state(id, ContainerState::Exited));
  EXPECT_TRUE(order(model::KillContainer{id}));
  EXPECT_TRUE(order(model::StopContainer{id, 1s}));
  EXPECT_TRUE(order(model::RemoveContainer{id}));
  EXPECT_TRUE(order(model::RemoveContainer{id}));
  EXPECT_TRUE(order(model::StopContainer{id, 1s}));
  EXPECT_TRUE(order(model::KillContainer{id}));
  auto const started = order(model::StartContainer{id});
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().field, kNoSuchContainer);
}

TEST_P(EngineSuite, RemovesWhatStillRuns) {
  auto const id = start("a", {"sleep", "600"});
  EXPECT_TRUE(order(model::RemoveContainer{id}));
  EXPECT_FALSE(call(model::InspectContainer{id}));
}

TEST_P(EngineSuite, RefusesANameThatIsInUse) {
  create(container("a", {"true"}));
  auto const second = call(container("a", {"true"}));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::Exists);
  EXPECT_EQ(second.error().field, kNameInUse);
}

TEST_P(EngineSuite, TellsThatAnImageIsNotHere) {
  auto wanted = container("a", {"true"});
  wanted.image = "davit-suite/nosuch:1";
  auto const created = call(wanted);
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().field, kNoSuchImage);
  auto const inspected = call(model::InspectImage{"davit-suite/nosuch:1"});
  ASSERT_FALSE(inspected);
  EXPECT_EQ(inspected.error().field, kNoSuchImage);
  EXPECT_EQ(inspected.error().code, Code::NotFound);
}

TEST_P(EngineSuite, InspectsAnImage) {
  auto const plain = ask<model::ImageDetail>(model::InspectImage{harness_->image()});
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_FALSE(plain->id.empty());
  EXPECT_FALSE(plain->has_healthcheck);
  auto const checked = ask<model::ImageDetail>(model::InspectImage{harness_->checked_image()});
  ASSERT_TRUE(checked) << checked.error().message;
  EXPECT_TRUE(checked->has_healthcheck);
}

TEST_P(EngineSuite, TellsAtStartThatACommandCannotBeRun) {
  auto const id = create(container("a", {"no-such-program"}));
  auto const started = order(model::StartContainer{id});
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::Invalid);
  EXPECT_EQ(started.error().field, kBadConfig);
  EXPECT_NE(started.error().message.find("no-such-program"), std::string::npos) << started.error().message;
  auto const detail = inspect(id);
  EXPECT_EQ(detail.state, ContainerState::Created);
  EXPECT_NE(detail.error.find("no-such-program"), std::string::npos) << detail.error;
}

TEST_P(EngineSuite, TellsAtStartThatAPortIsInUse) {
  constexpr std::uint16_t kPort = 18473;
  auto const publishing = [&](std::string const& name) {
    auto wanted = container(name, {"sleep", "600"});
    wanted.ports = {{"", 80, model::Protocol::Tcp, "127.0.0.1", kPort}};
    edit(wanted, [&](auto& spec) { spec.network_mode = harness_->publishing_network(); });
    return create(wanted);
  };
  auto const first = publishing("a");
  auto const started = order(model::StartContainer{first});
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_FALSE(inspect(first).address.empty());
  auto const second = publishing("b");
  auto const refused = order(model::StartContainer{second});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().field, kPortInUse) << refused.error().message;

  ASSERT_TRUE(order(model::RemoveContainer{first}));
  EXPECT_TRUE(order(model::StartContainer{second}));
  ASSERT_TRUE(order(model::StopContainer{second, 0s}));
  std::vector<model::PublishedPort> const ports{{"", 80, model::Protocol::Tcp, "127.0.0.1", kPort}};
  EXPECT_EQ(inspect(second).ports, ports);
}

TEST_P(EngineSuite, ListsByEveryLabelAlsoWhatDoesNotRun) {
  auto one = container("a", {"true"});
  one.labels.emplace("davit.slot", "1");
  auto two = container("b", {"true"});
  two.labels.emplace("davit.slot", "2");
  auto const first = create(one);
  auto const second = create(two);
  auto const both = ask<model::ContainerList>(model::ListContainers{{{"davit.cluster", prefix_}}});
  ASSERT_TRUE(both);
  EXPECT_EQ(both->all.size(), 2U);
  auto const only = ask<model::ContainerList>(model::ListContainers{{{"davit.cluster", prefix_}, {"davit.slot", "2"}}});
  ASSERT_TRUE(only);
  ASSERT_EQ(only->all.size(), 1U);
  EXPECT_EQ(only->all[0].id, second);
  EXPECT_EQ(only->all[0].name, two.name);
  EXPECT_EQ(only->all[0].labels.at("davit.slot"), "2");
  EXPECT_EQ(only->all[0].state, ContainerState::Created);
}

TEST_P(EngineSuite, StopsWithTheSpecsSignalAndGrace) {
  auto wanted = container("a", {"sh", "-c", "trap 'exit 7' USR1; echo ready; while :; do sleep 0.1; done"});
  edit(wanted, [](auto& spec) { spec.stop_signal = "SIGUSR1"; });
  auto const id = create(wanted);
  std::string said;
  ASSERT_TRUE(order(model::StartContainer{id}));
  auto const reader =
      engine().read_logs({.container = id, .follow = true}, [&](ports::LogLine line) { said = line.text; }, [](Status const&) {});
  ASSERT_TRUE(wait([&] { return said == "ready"; }));
  EXPECT_TRUE(order(model::StopContainer{id, 20s}));
  EXPECT_EQ(inspect(id).exit_code, 7);
}

TEST_P(EngineSuite, DoesNotKnowTheOutcomeOfAStopThatTookTooLong) {
  auto const id = start("a", {"sleep", "600"});  // the first process of a container ignores TERM
  auto const stopped = order(model::StopContainer{id, 600s}, 300ms);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, Code::UnknownOutcome);
  EXPECT_TRUE(order(model::KillContainer{id}));
  EXPECT_TRUE(wait_for_state(id, ContainerState::Exited));
}

TEST_P(EngineSuite, GivesBothEnvironments) {
  auto wanted = container("a", {"sh", "-c", "test \"$MINE\" = 1 && test \"$BOTH\" = davit && exit 42"});
  wanted.environment = {{"BOTH", "davit"}};
  edit(wanted, [](auto& spec) { spec.environment.items = {{"MINE", "1"}, {"BOTH", "user"}}; });
  auto const id = create(wanted);
  ASSERT_TRUE(order(model::StartContainer{id}));
  ASSERT_TRUE(wait_for_state(id, ContainerState::Exited));
  EXPECT_EQ(inspect(id).exit_code, 42);
}

TEST_P(EngineSuite, ReportsHealthByTheSpecsOwnCheck) {
  auto wanted = container("a", {"sh", "-c", "touch /ok; sleep 600"});
  edit(wanted, [](auto& spec) {
    spec.healthcheck.emplace();
    spec.healthcheck->test.items = {"CMD-SHELL", "test -e /ok && echo no luck && exit 1"};
    spec.healthcheck->interval = 100ms;
    spec.healthcheck->retries = 1;
  });
  auto const id = create(wanted);
  ASSERT_TRUE(order(model::StartContainer{id}));
  // The first check may come before there is the file, and say nothing.
  ASSERT_TRUE(
      wait_for(id, [](auto const& detail) { return detail.health == model::Health::Unhealthy && detail.health_output == "no luck"; }));
  auto const detail = inspect(id);
  EXPECT_EQ(detail.state, ContainerState::Running);
}

TEST_P(EngineSuite, TurnsTheImagesCheckOff) {
  auto wanted = container("a", {"sleep", "600"});
  wanted.image = harness_->checked_image();
  auto const checked = create(wanted);
  ASSERT_TRUE(order(model::StartContainer{checked}));
  EXPECT_NE(inspect(checked).health, model::Health::None);
  wanted.name += "-off";
  edit(wanted, [](auto& spec) { spec.healthcheck.emplace().disable = true; });
  auto const unchecked = create(wanted);
  ASSERT_TRUE(order(model::StartContainer{unchecked}));
  EXPECT_EQ(inspect(unchecked).health, model::Health::None);
}

TEST_P(EngineSuite, ReadsStatisticsAndTheEngine) {
  auto const id = start("a", {"sh", "-c", "while :; do :; done"});
  auto const used = ask<model::ContainerStats>(model::ReadStats{id});
  ASSERT_TRUE(used) << used.error().message;
  EXPECT_GT(used->memory.count, 0);
  EXPECT_TRUE(
      wait_for(id, [&](auto const&) { return ask<model::ContainerStats>(model::ReadStats{id}).value().cpu_time > used->cpu_time; }));
  auto const info = ask<model::EngineInfo>(model::ReadEngineInfo{});
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_FALSE(info->version.empty());
  EXPECT_FALSE(info->api_version.empty());
  EXPECT_TRUE(info->platform.starts_with("linux/")) << info->platform;
  EXPECT_GT(info->cpus, 0);
  EXPECT_GT(info->memory.count, 0);
}

TEST_P(EngineSuite, AnswersNothingAfterStop) {
  bool answered = false;
  engine().call(model::ReadEngineInfo{}, harness_->now().monotonic + 10s, [&](auto) { answered = true; });
  watch();
  harness_->stop_port();
  EXPECT_FALSE(answered);
  EXPECT_TRUE(hints_.empty());
  engine().call(model::ReadEngineInfo{}, harness_->now().monotonic + 10s, [&](auto) { answered = true; });
  wait([&] { return answered; }, 50ms);
  EXPECT_FALSE(answered);
  harness_.reset();
}

}  // namespace
}  // namespace davit::conformance
