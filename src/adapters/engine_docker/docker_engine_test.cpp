// The adapter against an engine that is told what to answer, for what a real one cannot be made to do.
#include "adapters/engine_docker/docker_engine.hpp"

#include <cstdlib>

#include <optional>

#include <gtest/gtest.h>

#include "http/server.hpp"
#include "runtime/wakeup.hpp"

namespace davit::engine_docker {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace model::engine_error;

class DockerEngineOverFake : public testing::Test {
 protected:
  void SetUp() override {
    auto pattern = (fs::temp_directory_path() / "davit-engine-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    engine_ = std::make_unique<DockerEngine>(loop_, DockerEngineOptions{{*http::parse_endpoint(socket()), {}}, folder_});
  }
  void TearDown() override {
    if (engine_) stop_engine();
    if (server_) stop_server();
    fs::remove_all(folder_);
  }

  std::string socket() const { return (folder_ / "docker.sock").string(); }
  bool wait(std::function<bool()> condition, Duration limit = 20s) { return loop_.run_until(condition, limit); }
  void stop_engine() {
    engine_->stop();
    ASSERT_TRUE(wait([&] { return engine_->is_stopped(); }));
  }
  void start_server() {
    http::ServerOptions options;
    options.handler = [this](http::Request request, http::ResponseWriter& writer) { return async_handle(std::move(request), writer); };
    options.stop_grace = 0s;
    server_ = std::make_unique<http::Server>(loop_, std::move(options));
    ASSERT_TRUE(server_->listen_unix(socket(), 0600));
  }
  void stop_server() {
    bool stopped = false;
    server_->stop([&] { stopped = true; });
    ASSERT_TRUE(wait([&] { return stopped; }));
    server_.reset();
  }

  asio::awaitable<void> async_handle(http::Request request, http::ResponseWriter& writer) {
    targets_.push_back(request.target);
    if (request.target == "/_ping") {
      (void)co_await writer.async_send({200, {{"Api-Version", api_version_}}, ""});
    } else if (request.target.find("/events") != std::string::npos) {
      (void)co_await writer.async_begin(200, {});
      (void)co_await writer.async_write("{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"8c");
      (void)co_await writer.async_write("1f\"}}\n");
      (void)co_await writer.async_write("{\"Type\":\"container\",\"Action\":\"exec_die\",\"Actor\":{\"ID\":\"0\"}}\n");
      co_await runtime::Wakeup(loop_).async_wait();  // until one of both ends goes
    } else {
      (void)co_await writer.async_send({answer_status_, {}, answer_});
    }
  }

  void watch() {
    engine_->watch([this](model::EngineHint hint) {
      if (auto const* down = std::get_if<model::EngineDown>(&hint)) downs_.push_back(down->message);
      if (std::holds_alternative<model::EngineUp>(hint)) ++ups_;
      if (auto const* touched = std::get_if<model::ContainerTouched>(&hint)) touched_.push_back(touched->id);
    });
  }
  Result<model::EngineReply> call(model::EngineCall what) {
    std::optional<Result<model::EngineReply>> reply;
    engine_->call(std::move(what), loop_.now().monotonic + 10s, [&](auto result) { reply = std::move(result); });
    if (!wait([&] { return reply.has_value(); })) return fail(Code::Internal, "no reply");
    return std::move(*reply);
  }

  runtime::AsioLoop loop_;
  fs::path folder_;
  std::string api_version_ = "1.41";
  int answer_status_ = 200;
  std::string answer_;
  std::vector<std::string> targets_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<DockerEngine> engine_;
  int ups_ = 0;
  std::vector<std::string> downs_;
  std::vector<std::string> touched_;
};

TEST_F(DockerEngineOverFake, SaysOnceThatThereIsNoSocketAndComesUpWhenThereIs) {
  watch();
  auto const reply = call(model::ReadEngineInfo{});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::Unavailable);
  EXPECT_EQ(reply.error().field, kEngineAway);
  ASSERT_TRUE(wait([&] { return !downs_.empty(); }));
  EXPECT_NE(downs_[0].find("there is no such socket"), std::string::npos) << downs_[0];
  start_server();
  ASSERT_TRUE(wait([&] { return ups_ == 1; }));
  EXPECT_EQ(downs_.size(), 1U);
  EXPECT_TRUE(wait([&] { return !touched_.empty(); }));
  EXPECT_EQ(touched_, std::vector<std::string>{"8c1f"});
}

TEST_F(DockerEngineOverFake, AsksForTheBridgeBeforeTheFirstContainerAndWhenItIsToldTo) {
  std::vector<Bridge> bridges;
  stop_engine();
  auto const dns_at = [&](Bridge const& bridge) {
    bridges.push_back(bridge);
    return std::optional(ContainerDns{.server = bridge.gateway, .search = {"davit"}, .options = {}});
  };
  engine_ = std::make_unique<DockerEngine>(loop_, DockerEngineOptions{{*http::parse_endpoint(socket()), {}}, folder_, dns_at});
  start_server();
  answer_ = R"({"Id":"8c1f","Warnings":[],"IPAM":{"Config":[{"Gateway":"172.17.0.1"}]},"Options":{}})";
  model::CreateContainer wanted;
  wanted.spec = std::make_shared<model::ServiceSpec const>();
  ASSERT_TRUE(call(wanted));
  ASSERT_TRUE(call(wanted));
  EXPECT_EQ(bridges, (std::vector<Bridge>{{"", "172.17.0.1"}}));
  ASSERT_GE(targets_.size(), 2U);
  EXPECT_EQ(targets_[1], "/v1.41/networks/bridge") << "after the ping";
  answer_status_ = 404;
  answer_ = R"({"message":"network bridge not found"})";
  engine_->find_dns();
  EXPECT_TRUE(wait([&] { return bridges.size() == 2; }));
  EXPECT_EQ(bridges[1], Bridge{});
}

TEST_F(DockerEngineOverFake, RefusesAnEngineThatIsTooOld) {
  api_version_ = "1.40";
  start_server();
  watch();
  ASSERT_TRUE(wait([&] { return !downs_.empty(); }));
  EXPECT_NE(downs_[0].find("too old"), std::string::npos) << downs_[0];
  EXPECT_EQ(call(model::ReadEngineInfo{}).error().code, Code::Unsupported);
  EXPECT_EQ(ups_, 0);
}

TEST_F(DockerEngineOverFake, AsksForTheVersionAgainAfterALoss) {
  start_server();
  watch();
  ASSERT_TRUE(wait([&] { return ups_ == 1; }));
  answer_ = "[]";
  ASSERT_TRUE(call(model::ListContainers{}));
  EXPECT_EQ(targets_.back(), "/v1.41/containers/json?all=1");
  stop_server();
  ASSERT_TRUE(wait([&] { return !downs_.empty(); }));
  api_version_ = "1.56";
  start_server();
  ASSERT_TRUE(wait([&] { return ups_ == 2; }));
  ASSERT_TRUE(call(model::ListContainers{}));
  EXPECT_EQ(targets_.back(), "/v1.47/containers/json?all=1");
}

TEST_F(DockerEngineOverFake, TakesNonsenseForAnError) {
  start_server();
  answer_ = "<html>";
  auto const nonsense = call(model::InspectContainer{"a"});
  ASSERT_FALSE(nonsense);
  EXPECT_EQ(nonsense.error().code, Code::Internal);
  answer_status_ = 500;
  auto const page = call(model::InspectContainer{"a/../b"});
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().message, "<html>");
  EXPECT_EQ(targets_.back(), "/v1.41/containers/a%2F..%2Fb/json");
}

TEST_F(DockerEngineOverFake, AsksForLogsAsTheQuerySays) {
  start_server();
  answer_ = "{}";
  std::optional<Status> end;
  auto const since = *parse_rfc3339("2026-01-02T03:04:05.678Z");
  auto const reader = engine_->read_logs(
      {.container = "a", .follow = true, .tail = 10, .since = since, .with_stderr = false}, [](auto) {},
      [&](Status status) { end = std::move(status); });
  ASSERT_TRUE(wait([&] { return end.has_value(); }));
  EXPECT_EQ(targets_.back(), "/v1.41/containers/a/logs?timestamps=1&stdout=1&stderr=0&follow=1&tail=10&since=1767323045.678000000");
}

}  // namespace
}  // namespace davit::engine_docker
