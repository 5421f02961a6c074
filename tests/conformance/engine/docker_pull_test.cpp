// Pulling from a real registry on loopback, with and without a password.
#include <signal.h>

#include <cstdlib>
#include <fstream>
#include <optional>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "adapters/engine_docker/base64.hpp"
#include "conformance/engine/docker_harness.hpp"

namespace davit::conformance {
namespace {

using namespace model::engine_error;
namespace fs = std::filesystem;

// Debian's docker-registry over a folder that two of them may share.
class Registry {
 public:
  Registry(fs::path const& folder, std::string const& name, bool with_password) : port_(free_port()) {
    auto const config = folder / (name + ".yml");
    auto text = fmt::format(
        "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"127.0.0.1:{}\"}}\n",
        (folder / "registry").string(), port_);
    if (with_password) text += fmt::format("auth: {{htpasswd: {{realm: test, path: {}}}}}\n", (folder / "htpasswd").string());
    std::ofstream(config) << text;
    process_.emplace(std::vector<std::string>{"docker-registry", "serve", config.string()}, folder / (name + ".log"));
  }
  std::string host() const { return fmt::format("127.0.0.1:{}", port_); }
  bool is_ready() { return can_connect(port_); }

 private:
  int port_;
  std::optional<ChildProcess> process_;
};

class DockerPull : public testing::Test {
 protected:
  void SetUp() override {
    std::string why_not;
    docker_ = PrivateDocker::get(why_not);
    if (!docker_) GTEST_SKIP() << "NOT RUN: " << why_not;
    if (!run_command("command -v docker-registry htpasswd >/dev/null"))
      GTEST_SKIP() << "NOT RUN: it takes Debian's docker-registry and apache2-utils";
    folder_ = docker_->folder() / "pull";
    fs::create_directories(folder_);
    fs::create_directories(config_folder());
    harness_ = std::make_unique<DockerHarness>(*docker_);
    ASSERT_TRUE(run_command(fmt::format("htpasswd -Bbn user secret > {}", (folder_ / "htpasswd").string())));
    open_.emplace(folder_, "open", false);
    closed_.emplace(folder_, "closed", true);
    ASSERT_TRUE(harness_->run_until([this] { return open_->is_ready() && closed_->is_ready(); }, 20s));
    push(docker_->image());
  }
  void TearDown() override {
    harness_.reset();
    open_.reset();
    closed_.reset();
    if (!folder_.empty()) fs::remove_all(folder_);
    if (docker_) fs::remove_all(config_folder());
  }

  fs::path config_folder() const { return docker_->folder() / "config"; }
  void log_in(std::string const& text) { std::ofstream(config_folder() / "config.json") << text; }
  // Onto the open registry's t/app:1, and out of the engine again.
  void push(std::string const& image) {
    auto const name = open_->host() + "/t/app:1";
    ASSERT_TRUE(docker_->cli(fmt::format("tag {} {}", image, name)));
    ASSERT_TRUE(docker_->cli(fmt::format("push -q {} >/dev/null", name)));
    ASSERT_TRUE(docker_->cli(fmt::format("rmi {} >/dev/null", name)));
  }
  template <class T>
  Result<T> ask(model::EngineCall what) {
    std::optional<Result<model::EngineReply>> reply;
    harness_->engine().call(std::move(what), kNever, [&](auto result) { reply = std::move(result); });
    EXPECT_TRUE(harness_->run_until([&] { return reply.has_value(); }, 60s));
    if (!reply) return fail(Code::Internal, "no reply");
    if (!*reply) return std::unexpected(reply->error());
    return std::get<T>(std::move(**reply));
  }
  Result<model::Pulled> pull(std::string const& reference) { return ask<model::Pulled>(model::PullImage{reference}); }
  void expect_refusal(std::string const& reference, std::string_view field, Code code) {
    auto const pulled = pull(reference);
    ASSERT_FALSE(pulled) << reference;
    EXPECT_EQ(pulled.error().field, field) << pulled.error().message;
    EXPECT_EQ(pulled.error().code, code) << pulled.error().message;
    EXPECT_FALSE(pulled.error().message.empty());
  }

  PrivateDocker* docker_ = nullptr;
  fs::path folder_;
  std::unique_ptr<DockerHarness> harness_;
  std::optional<Registry> open_;
  std::optional<Registry> closed_;
};

TEST_F(DockerPull, BringsTheImageAndItsDigest) {
  auto const name = open_->host() + "/t/app";
  auto const pulled = pull(name + ":1");
  ASSERT_TRUE(pulled) << pulled.error().message;
  ASSERT_TRUE(pulled->digest.starts_with("sha256:")) << pulled->digest;
  auto const image = ask<model::ImageDetail>(model::InspectImage{name + ":1"});
  ASSERT_TRUE(image);
  // Newer engines also name the image that was pushed.
  EXPECT_THAT(image->repo_digests, testing::Contains(name + "@" + pulled->digest));
  auto const again = pull(name + "@" + pulled->digest);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->digest, pulled->digest);
  auto const both = pull(name + ":1@" + pulled->digest);
  EXPECT_TRUE(both) << both.error().message;
  EXPECT_TRUE(docker_->cli(fmt::format("rmi {}:1 >/dev/null", name)));
}

TEST_F(DockerPull, SeesThatATagHasMoved) {
  auto const name = open_->host() + "/t/app:1";
  auto const first = pull(name);
  ASSERT_TRUE(first) << first.error().message;
  push(docker_->checked_image());
  auto const second = pull(name);
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_NE(first->digest, second->digest);
  EXPECT_TRUE(docker_->cli(fmt::format("rmi {} >/dev/null", name)));
}

TEST_F(DockerPull, TellsWhatIsMissingFromWhoIsAway) {
  expect_refusal(open_->host() + "/t/app:2", kNoSuchImage, Code::NotFound);
  expect_refusal(open_->host() + "/t/nosuch:1", kNoSuchImage, Code::NotFound);
  expect_refusal(open_->host() + "/t/app@sha256:" + std::string(64, 'a'), kNoSuchImage, Code::NotFound);
  expect_refusal(fmt::format("127.0.0.1:{}/t/app:1", free_port()), kRegistry, Code::Unavailable);
  expect_refusal("T/App:1", kBadConfig, Code::Invalid);
}

TEST_F(DockerPull, ReadsTheCredentialsAnewForEachPull) {
  auto const name = closed_->host() + "/t/app:1";
  auto const with = [&](std::string const& password) {
    return fmt::format(R"({{"auths":{{"{}":{{"auth":"{}"}}}}}})", closed_->host(), engine_docker::encode_base64url("user:" + password));
  };
  expect_refusal(name, kRegistryAuth, Code::Invalid);
  log_in(with("wrong"));
  expect_refusal(name, kRegistryAuth, Code::Invalid);
  log_in(with("secret"));
  auto const pulled = pull(name);
  EXPECT_TRUE(pulled) << pulled.error().message;
  EXPECT_TRUE(docker_->cli(fmt::format("rmi {} >/dev/null", name)));
}

TEST_F(DockerPull, NamesTheHelperThatGaveNoCredentials) {
  log_in(R"({"credsStore":"davit-nosuch"})");
  auto const pulled = pull(closed_->host() + "/t/app:1");
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().field, kRegistryAuth);
  EXPECT_NE(pulled.error().message.find("docker-credential-davit-nosuch"), std::string::npos) << pulled.error().message;
}

}  // namespace
}  // namespace davit::conformance
