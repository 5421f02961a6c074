#include "adapters/engine_docker/credentials.hpp"

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>
#include <boost/asio/awaitable.hpp>

#include "adapters/engine_docker/base64.hpp"
#include "adapters/engine_docker/docker_config.hpp"
#include "adapters/engine_docker/helper_process.hpp"
#include "codec/json.hpp"
#include "runtime/gate.hpp"

namespace davit::engine_docker {
namespace {

namespace asio = boost::asio;

codec::Value json(std::string_view text) { return *codec::parse_json(text); }

TEST(Base64, ReadsAndWritesEveryLength) {
  EXPECT_EQ(encode_base64url(""), "");
  EXPECT_EQ(encode_base64url("f"), "Zg==");
  EXPECT_EQ(encode_base64url("fo"), "Zm8=");
  EXPECT_EQ(encode_base64url("foo"), "Zm9v");
  EXPECT_EQ(encode_base64url("\xfb\xff"), "-_8=");
  EXPECT_EQ(decode_base64("-_8="), "\xfb\xff");
  EXPECT_EQ(decode_base64("+/8"), "\xfb\xff");
  EXPECT_EQ(decode_base64("Zg"), "f");
  EXPECT_FALSE(decode_base64("Z"));
  EXPECT_FALSE(decode_base64("Zm 9"));
}

TEST(Credentials, FindsALoginUnderEachWayToWriteARegistry) {
  auto const auth = encode_base64url("u:p:w");
  for (auto const* key : {"host:5000", "https://host:5000", "http://host:5000/v2/"}) {
    auto const config = codec::Value::object({{"auths", codec::Value::object({{key, codec::Value::object({{"auth", auth}})}})}});
    EXPECT_EQ(find_login(config, "host:5000"), (RegistryLogin{"u", "p:w", "", "host:5000"})) << key;
    EXPECT_FALSE(find_login(config, "host"));
  }
}

TEST(Credentials, KnowsDockerHubByItsOldAddress) {
  auto const config = json(R"({"auths":{"https://index.docker.io/v1/":{"identitytoken":"t"}}})");
  EXPECT_EQ(find_login(config, "docker.io"), (RegistryLogin{"", "", "t", "https://index.docker.io/v1/"}));
}

TEST(Credentials, PassesOverAnEmptyEntry) { EXPECT_FALSE(find_login(json(R"({"auths":{"host:5000":{}}})"), "host:5000")); }

TEST(Credentials, PrefersTheRegistrysOwnHelper) {
  auto const config = json(R"({"credsStore":"all","credHelpers":{"host:5000":"one"}})");
  EXPECT_EQ(find_helper(config, "host:5000"), (LoginHelper{"docker-credential-one", "host:5000"}));
  EXPECT_EQ(find_helper(config, "docker.io"), (LoginHelper{"docker-credential-all", "https://index.docker.io/v1/"}));
  EXPECT_FALSE(find_helper(json(R"({"credsStore":"../../bin/sh"})"), "docker.io"));
  EXPECT_FALSE(find_helper(json("{}"), "docker.io"));
}

TEST(Credentials, ReadsWhatHelpersPrint) {
  EXPECT_EQ(*read_helper_output(R"({"ServerURL":"h","Username":"u","Secret":"s"})", "h"), (RegistryLogin{"u", "s", "", "h"}));
  EXPECT_EQ(*read_helper_output(R"({"Username":"<token>","Secret":"s"})", "h"), (RegistryLogin{"", "", "s", "h"}));
  EXPECT_EQ(read_helper_output("credentials not found in native keychain\n", "h").error().code, Code::NotFound);
  EXPECT_EQ(read_helper_output("", "h").error().code, Code::Invalid);
}

TEST(Credentials, WritesTheHeader) {
  EXPECT_EQ(decode_base64(encode_login({"u", "p", "", "127.0.0.1:5055"})),
            R"({"username":"u","password":"p","serveraddress":"127.0.0.1:5055"})");
  EXPECT_EQ(decode_base64(encode_login({"", "", "t", "h"})), R"({"identitytoken":"t","serveraddress":"h"})");
}

// Helpers are shell scripts in a folder at the front of $PATH.
class Helpers : public testing::Test {
 protected:
  void SetUp() override {
    auto pattern = (std::filesystem::temp_directory_path() / "davit-helpers-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    path_ = std::getenv("PATH");
    ::setenv("PATH", (pattern + ":" + path_).c_str(), 1);
  }
  void TearDown() override {
    ::setenv("PATH", path_.c_str(), 1);
    std::filesystem::remove_all(folder_);
  }
  void script(std::string const& name, std::string const& text) {
    std::ofstream(folder_ / name) << "#!/bin/sh\n" << text;
    std::filesystem::permissions(folder_ / name, std::filesystem::perms::owner_all);
  }
  template <class T>
  T wait(asio::awaitable<T> operation) {
    runtime::Gate gate(loop_);
    std::optional<T> result;
    runtime::spawn(gate, "test", store(result, std::move(operation)));
    EXPECT_TRUE(loop_.run_until([&] { return gate.count() == 0; }, 20s));
    return std::move(result).value();
  }
  template <class T>
  static asio::awaitable<void> store(std::optional<T>& result, asio::awaitable<T> operation) {
    result.emplace(co_await std::move(operation));
  }
  Monotonic in(Duration time) { return loop_.now().monotonic + time; }

  runtime::AsioLoop loop_;
  std::filesystem::path folder_;
  std::string path_;
};

TEST_F(Helpers, GetTheServerAndGiveTheLogin) {
  script("docker-credential-fake", R"(read server; echo "{\"Username\":\"$1\",\"Secret\":\"$server\"}")");
  std::ofstream(folder_ / "config.json") << R"({"credsStore":"fake"})";
  auto const auth = wait(async_find_auth(&loop_, folder_, "host:5000", in(10s)));
  EXPECT_EQ(decode_base64(auth.header), R"({"username":"get","password":"host:5000","serveraddress":"host:5000"})");
}

TEST_F(Helpers, ThatFailLeaveTheLoginOfTheFile) {
  auto const config = R"({"credsStore":"nosuch","auths":{"host:5000":{"username":"u","password":"p"}}})";
  std::ofstream(folder_ / "config.json") << config;
  EXPECT_NE(wait(async_find_auth(&loop_, folder_, "host:5000", in(10s))).header, "");
  auto const none = wait(async_find_auth(&loop_, folder_, "other:5000", in(10s)));
  EXPECT_EQ(none.header, "");
  EXPECT_NE(none.problem.find("cannot run docker-credential-nosuch"), std::string::npos) << none.problem;
}

TEST_F(Helpers, ThatHangAreKilledWithWhatTheyStarted) {
  auto const mark = folder_ / "alive";
  script("hang", "sleep 600 & echo $! > " + mark.string() + "; wait");
  auto const output = wait(async_run_helper(&loop_, {"hang"}, "", in(1s)));
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().code, Code::Deadline);
  std::string pid;
  std::ifstream(mark) >> pid;
  // A zombie until init has reaped it; its command line is then empty.
  auto const is_gone = [&] {
    std::ifstream file("/proc/" + pid + "/cmdline");
    std::string text;
    return !(file >> text) || text.empty();
  };
  EXPECT_TRUE(loop_.run_until(is_gone, 10s));
}

TEST_F(Helpers, ThatPrintTooMuchAreCutOff) {
  auto const output = wait(async_run_helper(&loop_, {"yes"}, "", in(10s)));
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().code, Code::Exhausted);
}

TEST_F(Helpers, ThatReadNothingAreNoHarm) { EXPECT_EQ(wait(async_run_helper(&loop_, {"true"}, "input\n", in(10s))).value(), ""); }

TEST_F(Helpers, AreReadAnewEachTime) {
  std::ofstream(folder_ / "config.json") << "{}";
  EXPECT_EQ(wait(async_find_auth(&loop_, folder_, "h:1", in(10s))).header, "");
  std::ofstream(folder_ / "config.json") << R"({"auths":{"h:1":{"username":"u","password":"p"}}})";
  EXPECT_NE(wait(async_find_auth(&loop_, folder_, "h:1", in(10s))).header, "");
}

}  // namespace
}  // namespace davit::engine_docker
