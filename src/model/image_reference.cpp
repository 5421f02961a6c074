#include "model/image_reference.hpp"

#include <fmt/core.h>

namespace davit::model {
namespace {

constexpr std::string_view kDockerHub = "docker.io";
constexpr std::string_view kOfficial = "library/";

// The part before the first slash is a registry when it could not be a folder.
bool is_registry(std::string_view first) { return first == "localhost" || first.find_first_of(".:") != std::string_view::npos; }

}  // namespace

ImageReference split_image_reference(std::string_view text) {
  ImageReference parts;
  if (auto const at = text.find('@'); at != std::string_view::npos) {
    parts.digest = text.substr(at + 1);
    text = text.substr(0, at);
  }
  if (auto const slash = text.find('/'); slash != std::string_view::npos && is_registry(text.substr(0, slash))) {
    parts.registry = text.substr(0, slash);
    text = text.substr(slash + 1);
  }
  if (auto const colon = text.rfind(':'); colon != std::string_view::npos) {
    parts.tag = text.substr(colon + 1);
    text = text.substr(0, colon);
  }
  parts.path = text;
  return parts;
}

std::string registry_of(ImageReference const& reference) {
  bool const is_hub = reference.registry.empty() || reference.registry == "index.docker.io";
  return std::string(is_hub ? kDockerHub : reference.registry);
}

std::string repository_of(ImageReference const& reference) {
  auto const registry = registry_of(reference);
  auto path = reference.path;
  if (registry != kDockerHub) return fmt::format("{}/{}", registry, path);
  if (path.starts_with(kOfficial)) path.remove_prefix(kOfficial.size());
  return std::string(path);
}

std::string pin_image(std::string_view reference, std::string_view digest) {
  auto const parts = split_image_reference(reference);
  if (digest.empty() || parts.digest) return std::string(reference);
  return fmt::format("{}{}{}@{}", parts.registry, parts.registry.empty() ? "" : "/", parts.path, digest);
}

}  // namespace davit::model
