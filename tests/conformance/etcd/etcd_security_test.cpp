// TLS and users, with certificates that openssl makes and users that etcd's JSON gateway takes.
#include <sys/wait.h>

#include <cstdlib>
#include <thread>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conformance/etcd/etcd_harness.hpp"

namespace davit::conformance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr Duration kShort = 1500ms;  // for what must not succeed

// ---- TLS

// An authority of its own, a server's certificate for 127.0.0.1 and a client's.
class Certificates {
 public:
  Certificates() {
    auto const made = run_command(fmt::format(
        "cd {} && exec >/dev/null 2>&1 && printf 'subjectAltName=IP:127.0.0.1' >san && "
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -subj /CN=authority -days 2 && "
        "for who in server client; do "
        "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $who.key -out $who.csr -subj /CN=$who && "
        "openssl x509 -req -in $who.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out $who.crt -days 2 -extfile san || exit 1; done",
        folder_.path().string()));
    EXPECT_TRUE(made) << "openssl makes no certificates";
  }
  std::filesystem::path file(std::string const& name) const { return folder_.path() / name; }
  std::vector<std::string> arguments() const {
    return {"--cert-file=" + file("server.crt").string(), "--key-file=" + file("server.key").string(),
            "--trusted-ca-file=" + file("ca.crt").string(), "--client-cert-auth"};
  }

 private:
  TemporaryFolder folder_;
};

class EtcdTls : public testing::Test {
 protected:
  Result<ports::Committed> write(store_etcd::EtcdStore::Tls const& tls, Duration limit) {
    EtcdUser user({.endpoints = cluster.endpoints(), .user = {}, .password = {}, .tls = tls});
    std::optional<Result<ports::Committed>> answer;
    user.store().commit({.compares = {}, .operations = {put("a", "1")}}, user.loop().now().monotonic + limit,
                        [&](auto result) { answer = std::move(result); });
    user.run_until([&] { return answer.has_value(); });
    return answer.value_or(fail(Code::Internal, "no answer at all"));
  }

  Certificates certificates;
  EtcdCluster cluster{{.members = 1, .arguments = certificates.arguments(), .is_secure = true}};
};

TEST_F(EtcdTls, serves_a_client_with_a_certificate_and_no_other) {
  auto const ca = certificates.file("ca.crt");
  auto const right = write({.ca = ca, .certificate = certificates.file("client.crt"), .key = certificates.file("client.key")}, kPatience);
  EXPECT_TRUE(right.has_value()) << right.error().message;
  EXPECT_EQ(write({.ca = ca, .certificate = {}, .key = {}}, kShort).error().code, Code::Deadline);
  Certificates const others;
  EXPECT_EQ(
      write({.ca = others.file("ca.crt"), .certificate = certificates.file("client.crt"), .key = certificates.file("client.key")}, kShort)
          .error()
          .code,
      Code::Deadline);
}

TEST(EtcdOptions, are_refused_where_they_cannot_be_right) {
  runtime::AsioLoop loop;
  auto const code = [&](store_etcd::EtcdStore::Options options) {
    auto store = store_etcd::EtcdStore::open(loop, std::move(options));
    return store ? Code::Internal : store.error().code;
  };
  EXPECT_EQ(code({.endpoints = {}, .user = {}, .password = {}, .tls = {}}), Code::Invalid);
  EXPECT_EQ(code({.endpoints = {"nowhere"}, .user = {}, .password = {}, .tls = {}}), Code::Invalid);
  using Tls = store_etcd::EtcdStore::Tls;
  EXPECT_EQ(code({.endpoints = {"a:1"}, .user = {}, .password = {}, .tls = Tls{.ca = "/nowhere", .certificate = {}, .key = {}}}),
            Code::Invalid);
  EXPECT_EQ(code({.endpoints = {"a:1"}, .user = {}, .password = {}, .tls = Tls{.ca = {}, .certificate = "a", .key = {}}}), Code::Invalid);
}

// ---- users

class EtcdUsers : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(StoreClient(anonymous).write({put("davit/before", "")}).has_value());
    post("auth/user/add", R"({"name":"root","password":"r"})");
    post("auth/user/grant", R"({"user":"root","role":"root"})");
    post("auth/role/add", R"({"name":"davit"})");
    // "davit/" up to "davit0".
    post("auth/role/grant", R"({"name":"davit","perm":{"permType":"READWRITE","key":"ZGF2aXQv","range_end":"ZGF2aXQw"}})");
    post("auth/user/add", R"({"name":"davit","password":"secret"})");
    post("auth/user/grant", R"({"user":"davit","role":"davit"})");
    post("auth/enable", "{}");
  }
  void post(std::string const& path, std::string const& body) {
    EXPECT_TRUE(run_command(fmt::format("curl --silent --fail --max-time 20 --noproxy '*' --output /dev/null --data '{}' {}/v3/{}", body,
                                        cluster.url(0), path)))
        << path;
  }
  store_etcd::EtcdStore::Options as(std::string user, std::string password) {
    return {.endpoints = cluster.endpoints(), .user = std::move(user), .password = std::move(password), .tls = {}};
  }

  EtcdCluster cluster{
      {.members = 1, .arguments = {"--auth-token-ttl=1", "--bcrypt-cost=4", "--experimental-watch-progress-notify-interval=100ms"}}};
  EtcdUser anonymous{as({}, {})};
};

TEST_F(EtcdUsers, may_do_what_their_role_allows) {
  EtcdUser user(as("davit", "secret"));
  StoreClient client(user);
  EXPECT_THAT(client.keys({.prefix = "davit/"}), ElementsAre("davit/before"));
  WatchRecord const record(user, "davit/", 0);
  ASSERT_TRUE(client.write({put("davit/a", "1")}).has_value());
  EXPECT_TRUE(client.grant_lease(60s).has_value());
  ASSERT_TRUE(user.run_until([&] { return !record.lines().empty(); }));
  EXPECT_THAT(record.lines(), ElementsAre(HasSubstr("davit/a=1")));

  auto const refused = client.write({put("others/a", "1")});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::Unavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("permission denied"));
}

TEST_F(EtcdUsers, are_refused_without_the_password) {
  for (auto const& [name, password] : {std::pair("davit", "wrong"), std::pair("nobody", "secret"), std::pair("", "")}) {
    EtcdUser user(as(name, password));
    auto const refused = StoreClient(user).write({put("davit/a", "1")});
    ASSERT_FALSE(refused.has_value()) << name;
    EXPECT_EQ(refused.error().code, Code::Unavailable) << name;
    fmt::print("{}\n", refused.error().message);
  }
}

TEST_F(EtcdUsers, need_not_care_that_tokens_run_out) {
  EtcdUser user(as("davit", "secret"));
  StoreClient client(user);
  ASSERT_TRUE(client.write({put("davit/a", "1")}).has_value());
  auto const revision = client.write({put("davit/a", "2")})->revision;
  // A token that is not used for a second is forgotten; a member that starts anew knows none at all.
  auto const idle_until = user.loop().now().monotonic + 3s;
  ASSERT_TRUE(user.run_until([&] { return user.loop().now().monotonic >= idle_until; }));
  WatchRecord const late(user, "davit/", revision);
  ASSERT_TRUE(user.run_until([&] { return !late.lines().empty(); }));
  ASSERT_TRUE(client.write({put("davit/a", "3")}).has_value());
  cluster.kill(0);
  cluster.start(0);
  auto answer = client.write({put("davit/a", "4")});
  while (!answer && answer.error().code == Code::UnknownOutcome) answer = client.write({put("davit/a", "4")});
  EXPECT_TRUE(answer.has_value()) << answer.error().message;
  ASSERT_TRUE(user.run_until([&] { return late.lines().size() >= 3; }));
  EXPECT_THAT(late.lines().back(), HasSubstr("davit/a=4"));
}

TEST_F(EtcdUsers, do_no_harm_where_etcd_asks_for_none) {
  EtcdCluster const open(quick_progress(1));
  EtcdUser user({.endpoints = open.endpoints(), .user = "davit", .password = "secret", .tls = {}});
  EXPECT_TRUE(StoreClient(user).write({put("a", "1")}).has_value());
}

}  // namespace
}  // namespace davit::conformance
