#include "adapters/engine_docker/pull_stream.hpp"

#include <gtest/gtest.h>

namespace davit::engine_docker {
namespace {

using namespace model::engine_error;

Result<model::Pulled> pull(std::string const& bytes, std::size_t step = 7) {
  PullStream stream;
  for (std::size_t i = 0; i < bytes.size(); i += step) stream.push(std::string_view(bytes).substr(i, step));
  return stream.finish();
}

TEST(PullStream, EndsWithTheDigest) {
  auto const got = pull(
      "{\"status\":\"Pulling from t/bb\",\"id\":\"1\"}\r\n{\"status\":\"Digest: sha256:e9a3\"}\r\n"
      "{\"status\":\"Status: Downloaded newer image for h:5055/t/bb:1\"}\r\n");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->digest, "sha256:e9a3");
}

TEST(PullStream, FindsTheErrorInsideOfASuccess) {
  auto const got = pull(
      "{\"status\":\"Pulling fs layer\",\"id\":\"ab\"}\r\n"
      "{\"errorDetail\":{\"message\":\"unauthorized: authentication required\"},\"error\":\"unauthorized: authentication required\"}\r\n");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().field, kRegistryAuth);
  EXPECT_EQ(got.error().message, "unauthorized: authentication required");
}

TEST(PullStream, FindsTheErrorOfNewEnginesAndWithoutALastNewline) {
  auto const got = pull("{\"errorDetail\":{\"code\":404,\"message\":\"h:1/a:9: not found\"}}");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().field, kNoSuchImage);
  auto const nameless = pull("{\"errorDetail\":{}}\n");
  ASSERT_FALSE(nameless);
  EXPECT_FALSE(nameless.error().message.empty());
}

TEST(PullStream, AnErrorIsNotUndoneByWhatFollows) {
  EXPECT_FALSE(pull("{\"error\":\"unexpected EOF\"}\r\n{\"status\":\"Digest: sha256:e9a3\"}\r\n"));
}

TEST(PullStream, SumsTheLayers) {
  PullStream stream;
  stream.push("{\"status\":\"Downloading\",\"progressDetail\":{\"current\":10,\"total\":100},\"id\":\"a\"}\r\n");
  stream.push(
      "{\"status\":\"Downloading\",\"progressDetail\":{\"current\":50,\"total\":60},\"id\":\"b\"}\r\n{\"status\":\"Download "
      "complete\",\"id\":\"b\"}\r\n");
  stream.push("{\"status\":\"Extracting\",\"progressDetail\":{\"current\":1,\"total\":60},\"id\":\"b\"}\r\n");
  EXPECT_EQ(stream.done_bytes(), 70);
  EXPECT_EQ(stream.total_bytes(), 160);
  EXPECT_EQ(stream.last_status(), "Extracting");
}

}  // namespace
}  // namespace davit::engine_docker
