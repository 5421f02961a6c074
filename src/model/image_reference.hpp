// Image references as users write them ("nginx", "ghcr.io/a/b:1", "host:5000/x@sha256:…"), taken apart. What their parts may
// hold is said in syntax.hpp. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace davit::model {

// Views into the text.
struct ImageReference {
  std::string_view registry;  // "ghcr.io", "host:5000"; empty: none is named, which means Docker Hub
  std::string_view path;      // "a/b", "nginx"
  std::optional<std::string_view> tag;
  std::optional<std::string_view> digest;
  friend bool operator==(ImageReference const&, ImageReference const&) = default;
};
ImageReference split_image_reference(std::string_view text);

// "docker.io" where none is named.
std::string registry_of(ImageReference const& reference);

// Without tag and digest, as engines write it in an image's digests: "nginx" also for "docker.io/library/nginx:1.27".
std::string repository_of(ImageReference const& reference);

// "nginx:1.27" at the digest that its tag was resolved to: "nginx@sha256:…". As it is where it names a digest or `digest` is empty.
std::string pin_image(std::string_view reference, std::string_view digest);

}  // namespace davit::model
