#include "model/image_reference.hpp"

#include <gtest/gtest.h>

namespace davit::model {
namespace {

TEST(ImageReference, takes_apart_what_users_write) {
  struct Row {
    std::string_view text;
    ImageReference parts;
    std::string registry;
    std::string repository;
  };
  Row const rows[] = {
      {"nginx", {"", "nginx", {}, {}}, "docker.io", "nginx"},
      {"nginx:1.27", {"", "nginx", "1.27", {}}, "docker.io", "nginx"},
      {"docker.io/library/nginx:1", {"docker.io", "library/nginx", "1", {}}, "docker.io", "nginx"},
      {"index.docker.io/bitnami/redis", {"index.docker.io", "bitnami/redis", {}, {}}, "docker.io", "bitnami/redis"},
      {"ghcr.io/a/b/c:v2", {"ghcr.io", "a/b/c", "v2", {}}, "ghcr.io", "ghcr.io/a/b/c"},
      {"localhost/library/x", {"localhost", "library/x", {}, {}}, "localhost", "localhost/library/x"},
      {"127.0.0.1:5055/t/bb:1", {"127.0.0.1:5055", "t/bb", "1", {}}, "127.0.0.1:5055", "127.0.0.1:5055/t/bb"},
      {"host:5000/x@sha256:ab", {"host:5000", "x", {}, "sha256:ab"}, "host:5000", "host:5000/x"},
      {"nginx:1@sha256:ab", {"", "nginx", "1", "sha256:ab"}, "docker.io", "nginx"},
      {"nginx:", {"", "nginx", "", {}}, "docker.io", "nginx"},
  };
  for (auto const& row : rows) {
    auto const parts = split_image_reference(row.text);
    EXPECT_EQ(parts, row.parts) << row.text;
    EXPECT_EQ(registry_of(parts), row.registry) << row.text;
    EXPECT_EQ(repository_of(parts), row.repository) << row.text;
  }
}

TEST(ImageReference, is_pinned_to_a_digest_in_place_of_its_tag) {
  EXPECT_EQ(pin_image("nginx:1.27", "sha256:ab"), "nginx@sha256:ab");
  EXPECT_EQ(pin_image("host:5000/team/x", "sha256:ab"), "host:5000/team/x@sha256:ab");
  EXPECT_EQ(pin_image("nginx:1.27@sha256:cd", "sha256:ab"), "nginx:1.27@sha256:cd");
  EXPECT_EQ(pin_image("nginx:1.27", ""), "nginx:1.27");
}

}  // namespace
}  // namespace davit::model
