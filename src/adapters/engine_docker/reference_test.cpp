#include "adapters/engine_docker/reference.hpp"

#include <gtest/gtest.h>

#include "model/engine.hpp"

namespace davit::engine_docker {
namespace {

struct Row {
  std::string text;
  ImageReference want;
  std::string repository;
};

TEST(Reference, TakesApartWhatUsersWrite) {
  Row const rows[] = {
      {"nginx", {"docker.io", "library/nginx", "latest", ""}, "library/nginx"},
      {"nginx:1.27", {"docker.io", "library/nginx", "1.27", ""}, "library/nginx"},
      {"docker.io/nginx:1", {"docker.io", "library/nginx", "1", ""}, "library/nginx"},
      {"bitnami/redis", {"docker.io", "bitnami/redis", "latest", ""}, "bitnami/redis"},
      {"ghcr.io/a/b/c:v2", {"ghcr.io", "a/b/c", "v2", ""}, "ghcr.io/a/b/c"},
      {"localhost/x", {"localhost", "x", "latest", ""}, "localhost/x"},
      {"127.0.0.1:5055/t/bb:1", {"127.0.0.1:5055", "t/bb", "1", ""}, "127.0.0.1:5055/t/bb"},
      {"host:5000/x@sha256:ab", {"host:5000", "x", "", "sha256:ab"}, "host:5000/x"},
      {"nginx:1@sha256:ab", {"docker.io", "library/nginx", "1", "sha256:ab"}, "library/nginx"},
  };
  for (auto const& row : rows) {
    auto const got = parse_reference(row.text);
    ASSERT_TRUE(got) << row.text << ": " << got.error().message;
    EXPECT_EQ(*got, row.want) << row.text;
    EXPECT_EQ(got->repository(), row.repository);
  }
  EXPECT_EQ(parse_reference("nginx:1@sha256:ab")->tag_or_digest(), "sha256:ab");
}

TEST(Reference, RefusesWhatCannotBeOne) {
  for (auto const* text : {"", "Nginx", "a b", "nginx:", "host:5000/", "x@y", "/x", "a%2fb", "a?b"}) {
    auto const got = parse_reference(text);
    ASSERT_FALSE(got) << text;
    EXPECT_EQ(got.error().field, model::engine_error::kBadConfig);
  }
}

}  // namespace
}  // namespace davit::engine_docker
