// Image references as users write them ("nginx", "ghcr.io/a/b:1", "host:5000/x@sha256:…"), taken apart.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace davit::engine_docker {

struct ImageReference {
  std::string registry;  // "docker.io", "host:5000"
  std::string path;      // "library/nginx"
  std::string tag;       // "latest" when neither tag nor digest is given; else maybe empty
  std::string digest;    // "sha256:…" or empty

  // What the engine is asked to pull: never all tags, and a digest wins over the tag.
  std::string repository() const;
  std::string const& tag_or_digest() const { return digest.empty() ? tag : digest; }

  friend bool operator==(ImageReference const&, ImageReference const&) = default;
};

// Code::Invalid, field kBadConfig, for what can be no reference. Finer rules are left to the engine.
Result<ImageReference> parse_reference(std::string_view text);

}  // namespace davit::engine_docker
