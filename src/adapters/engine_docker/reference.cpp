#include "adapters/engine_docker/reference.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "model/engine.hpp"

namespace davit::engine_docker {
namespace {

constexpr std::string_view kDefaultRegistry = "docker.io";

std::unexpected<Error> refuse(std::string_view text, std::string_view why) {
  return fail(Code::Invalid, fmt::format("\"{}\" is no image reference: {}", text, why), std::string(model::engine_error::kBadConfig));
}

bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return c > ' ' && c < 0x7f && c != '?' && c != '#' && c != '%' && c != '\\'; });
}

// The first part is a registry when it could not be a folder: it has a dot or a port, or is localhost.
bool is_registry(std::string_view first) { return first.find_first_of(".:") != std::string_view::npos || first == "localhost"; }

}  // namespace

std::string ImageReference::repository() const {
  // Engines know Docker Hub's images by their short names.
  return registry == kDefaultRegistry ? path : registry + "/" + path;
}

Result<ImageReference> parse_reference(std::string_view text) {
  if (text.empty()) return refuse(text, "it is empty");
  if (!is_plain(text)) return refuse(text, "it has a character that is not allowed");
  ImageReference out;
  auto rest = text;
  if (auto const at = rest.find('@'); at != std::string_view::npos) {
    out.digest = rest.substr(at + 1);
    rest = rest.substr(0, at);
    if (out.digest.find(':') == std::string::npos) return refuse(text, "the digest after \"@\" must look like sha256:…");
  }
  if (auto const slash = rest.find('/'); slash != std::string_view::npos && is_registry(rest.substr(0, slash))) {
    out.registry = rest.substr(0, slash);
    rest = rest.substr(slash + 1);
  }
  if (auto const colon = rest.rfind(':'); colon != std::string_view::npos) {
    out.tag = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
    if (out.tag.empty() || out.tag.find('/') != std::string::npos) return refuse(text, "the tag after \":\" is missing");
  }
  if (rest.empty() || rest.front() == '/' || rest.back() == '/') return refuse(text, "the name is missing");
  if (std::any_of(rest.begin(), rest.end(), [](char c) { return c >= 'A' && c <= 'Z'; }))
    return refuse(text, "the name must be in lower case");
  if (out.registry.empty() || out.registry == "index.docker.io") out.registry = kDefaultRegistry;
  out.path = rest;
  if (out.registry == kDefaultRegistry && out.path.find('/') == std::string::npos) out.path = "library/" + out.path;
  if (out.tag.empty() && out.digest.empty()) out.tag = "latest";
  return out;
}

}  // namespace davit::engine_docker
