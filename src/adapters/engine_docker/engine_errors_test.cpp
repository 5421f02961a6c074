#include "adapters/engine_docker/engine_errors.hpp"

#include <gtest/gtest.h>

#include "model/engine.hpp"

namespace davit::engine_docker {
namespace {

using namespace model::engine_error;

struct Row {
  int status;
  std::string message;
  Code code;
  std::string_view field;
};

void expect_rows(std::initializer_list<Row> rows, Error (*map)(int, std::string)) {
  for (auto const& row : rows) {
    auto const error = map(row.status, row.message);
    EXPECT_EQ(error.code, row.code) << row.message;
    EXPECT_EQ(error.field, row.field) << row.message;
    EXPECT_EQ(error.message, row.message);
  }
}

TEST(EngineErrors, PullTellsMissingImageFromCredentialsFromRegistry) {
  expect_rows(
      {
          {500, "manifest unknown", Code::NotFound, kNoSuchImage},
          {404, "manifest for host:5000/a:9 not found: manifest unknown: manifest unknown", Code::NotFound, kNoSuchImage},
          {0, "failed to resolve reference \"host:5000/a:9\": host:5000/a:9: not found", Code::NotFound, kNoSuchImage},
          {404, "pull access denied for nosuch, repository does not exist or may require 'docker login': denied", Code::NotFound,
           kNoSuchImage},
          {0, "no matching manifest for linux/amd64 in the manifest list entries", Code::NotFound, kNoSuchImage},
          {500, "unauthorized", Code::Invalid, kRegistryAuth},
          {500, "Head \"http://127.0.0.1:5056/v2/a/manifests/1\": no basic auth credentials", Code::Invalid, kRegistryAuth},
          {500, "Get \"https://r.example/v2/\": unauthorized: authentication required", Code::Invalid, kRegistryAuth},
          {0,
           "failed to resolve reference \"h:1/a:1\": pull access denied, repository does not exist or may require authorization: "
           "authorization failed: no basic auth credentials",
           Code::Invalid, kRegistryAuth},
          {0,
           "failed to resolve reference \"docker.io/library/nosuch:latest\": pull access denied, repository does not exist or may require "
           "authorization: server message: insufficient_scope: authorization failed",
           Code::NotFound, kNoSuchImage},
          {401, "whatever", Code::Invalid, kRegistryAuth},
          {500, "Get \"http://127.0.0.1:9/v2/\": dial tcp 127.0.0.1:9: connect: connection refused", Code::Unavailable, kRegistry},
          {500, "Get \"https://nosuch.example/v2/\": dial tcp: lookup nosuch.example: no such host", Code::Unavailable, kRegistry},
          {0, "failed to do request: Head \"https://r.example/v2/a/manifests/1\": dial tcp: lookup r.example: not found", Code::Unavailable,
           kRegistry},
          {500, "toomanyrequests: You have reached your pull rate limit.", Code::Unavailable, kRegistry},
          {500, "received unexpected HTTP status: 503 Service Unavailable", Code::Unavailable, kRegistry},
          {400, "invalid reference format: repository name must be lowercase", Code::Invalid, kBadConfig},
          {0, "write /var/lib/docker/tmp/x: no space left on device", Code::Full, ""},
      },
      pull_error);
}

TEST(EngineErrors, CreateTellsNameFromImageFromConfiguration) {
  expect_rows(
      {
          {409, "Conflict. The container name \"/a\" is already in use by container \"1e2b\".", Code::Exists, kNameInUse},
          {404, "No such image: local/nope:9", Code::NotFound, kNoSuchImage},
          {404, "image with reference a:1 was found but does not match the specified platform: wanted linux/arm64", Code::NotFound,
           kNoSuchImage},
          {404, "create v: error looking up volume plugin nosuch: plugin \"nosuch\" not found", Code::Invalid, kBadConfig},
          {400, "invalid mount config for type \"bind\": bind source path does not exist: /x", Code::Invalid, kBadConfig},
          {400, "Minimum memory limit allowed is 6MB", Code::Invalid, kBadConfig},
          {500, "mkdir /var/lib/docker/overlay2/x: no space left on device", Code::Full, ""},
          {500, "layer not known", Code::Internal, ""},
      },
      create_error);
}

TEST(EngineErrors, StartTellsPortFromCommand) {
  expect_rows(
      {
          {500,
           "driver failed programming external connectivity on endpoint a: Error starting userland proxy: listen tcp4 0.0.0.0:80: bind: "
           "address already in use",
           Code::Unavailable, kPortInUse},
          {500, "driver failed programming external connectivity on endpoint a: Bind for 0.0.0.0:80 failed: port is already allocated",
           Code::Unavailable, kPortInUse},
          {400, "exec: \"nosuchbin\": executable file not found in $PATH", Code::Invalid, kBadConfig},
          {500, "exec: \"/etc/passwd\": permission denied", Code::Invalid, kBadConfig},
          {500, "unable to find user nosuch: no matching entries in passwd file", Code::Invalid, kBadConfig},
          {404, "No such container: a", Code::NotFound, kNoSuchContainer},
          {404, "network nosuch not found", Code::Invalid, kBadConfig},
          {500, "OCI runtime start failed: context deadline exceeded", Code::Internal, ""},
      },
      start_error);
}

TEST(EngineErrors, CleansTheEnginesWrappersAndIsNeverEmpty) {
  EXPECT_EQ(
      clean_message("failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "
                    "\"nosuchbin\": executable file not found in $PATH: unknown\n",
                    400),
      "exec: \"nosuchbin\": executable file not found in $PATH");
  EXPECT_EQ(clean_message("  \n", 500), "the engine answered 500 without a message");
  EXPECT_EQ(clean_message("", 0), "the engine failed without a message");
}

TEST(EngineErrors, ReadsJsonAndPlainBodies) {
  EXPECT_EQ(message_of_body(R"({"message":"No such container: a"})", 404), "No such container: a");
  EXPECT_EQ(message_of_body("page not found\n", 404), "page not found");
  EXPECT_EQ(message_of_body("{}", 500), "the engine answered 500 without a message");
  EXPECT_EQ(message_of_body("", 502), "the engine answered 502 without a message");
}

}  // namespace
}  // namespace davit::engine_docker
