#include "adapters/engine_docker/endpoint.hpp"

#include <cstdlib>
#include <fstream>
#include <map>

#include <gtest/gtest.h>

namespace davit::engine_docker {
namespace {

namespace fs = std::filesystem;

class Endpoint : public testing::Test {
 protected:
  void SetUp() override {
    auto pattern = (fs::temp_directory_path() / "davit-endpoint-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    set_["DOCKER_CONFIG"] = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(fs::path const& path, std::string const& text) {
    fs::create_directories((folder_ / path).parent_path());
    std::ofstream(folder_ / path) << text;
  }
  Result<EngineAddress> find(std::string const& argument = "") {
    return find_endpoint(argument, [this](std::string const& name) -> std::optional<std::string> {
      auto const found = set_.find(name);
      return found == set_.end() ? std::nullopt : std::optional(found->second);
    });
  }
  std::string found(std::string const& argument = "") {
    auto const endpoint = find(argument);
    return endpoint ? http::to_string(endpoint->endpoint) : "error: " + endpoint.error().message;
  }

  fs::path folder_;
  std::map<std::string, std::string> set_;
};

constexpr auto kOther = R"({"Name":"other","Endpoints":{"docker":{"Host":"unix:///run/other.sock"}}})";

TEST_F(Endpoint, IsTheUsualSocketWhenNothingIsSaid) {
  EXPECT_EQ(found(), "unix:///var/run/docker.sock");
  write("config.json", R"({"currentContext":"default"})");
  EXPECT_EQ(found(), "unix:///var/run/docker.sock");
}

TEST_F(Endpoint, TakesTheArgumentBeforeTheVariableBeforeTheContext) {
  write("contexts/meta/0123abcd/meta.json", kOther);
  write("config.json", R"({"currentContext":"other"})");
  EXPECT_EQ(found(), "unix:///run/other.sock");
  set_["DOCKER_HOST"] = "tcp://10.0.0.1:2375";
  EXPECT_EQ(find()->endpoint.host, "10.0.0.1");
  EXPECT_EQ(found("unix:///run/mine.sock"), "unix:///run/mine.sock");
}

TEST_F(Endpoint, TakesTheContextOfTheVariableBeforeTheCurrentOne) {
  write("contexts/meta/0123abcd/meta.json", kOther);
  write("config.json", R"({"currentContext":"gone"})");
  set_["DOCKER_CONTEXT"] = "other";
  EXPECT_EQ(found(), "unix:///run/other.sock");
}

TEST_F(Endpoint, NamesTheContextThatDoesNotExist) {
  set_["DOCKER_CONTEXT"] = "gone";
  auto const endpoint = find();
  ASSERT_FALSE(endpoint);
  EXPECT_NE(endpoint.error().message.find("\"gone\", which does not exist"), std::string::npos) << endpoint.error().message;
}

TEST_F(Endpoint, RefusesWhatItCannotSpeakAndSaysWhereThatCameFrom) {
  set_["DOCKER_HOST"] = "ssh://user@host";
  auto const ssh = find();
  ASSERT_FALSE(ssh);
  EXPECT_EQ(ssh.error().code, Code::Unsupported);
  EXPECT_NE(ssh.error().message.find("(DOCKER_HOST): ssh is not supported"), std::string::npos) << ssh.error().message;
}

TEST_F(Endpoint, TakesTheCertificatesThatTheVariablesName) {
  write("certs/ca.pem", "");
  write("certs/key.pem", "");
  set_["DOCKER_HOST"] = "tcp://host";
  set_["DOCKER_TLS_VERIFY"] = "1";
  set_["DOCKER_CERT_PATH"] = (folder_ / "certs").string();
  auto const address = find();
  ASSERT_TRUE(address) << address.error().message;
  EXPECT_TRUE(address->endpoint.tls);
  EXPECT_EQ(address->endpoint.port, 2376);
  EXPECT_EQ(address->tls.ca, (folder_ / "certs/ca.pem").string());
  EXPECT_EQ(address->tls.certificate, "");
  EXPECT_TRUE(address->tls.verify);
}

TEST_F(Endpoint, TakesTheCertificatesOfTheContext) {
  write("contexts/meta/0123abcd/meta.json", R"({"Name":"far","Endpoints":{"docker":{"Host":"tcp://host:2376"}}})");
  write("contexts/tls/0123abcd/docker/cert.pem", "");
  set_["DOCKER_CONTEXT"] = "far";
  auto const address = find();
  ASSERT_TRUE(address) << address.error().message;
  EXPECT_TRUE(address->endpoint.tls);
  EXPECT_EQ(address->tls.certificate, (folder_ / "contexts/tls/0123abcd/docker/cert.pem").string());
}

TEST_F(Endpoint, NamesAConfigurationThatIsNoJson) {
  write("config.json", "{");
  auto const endpoint = find();
  ASSERT_FALSE(endpoint);
  EXPECT_NE(endpoint.error().message.find("config.json"), std::string::npos);
}

}  // namespace
}  // namespace davit::engine_docker
