// The images on one engine's disk. Owned by FakeDocker.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>

#include "sim/engine_program.hpp"

namespace davit::sim {

class EngineImages {
 public:
  using Lookup = std::function<std::optional<Image>(std::string const& reference)>;
  explicit EngineImages(Lookup lookup) : lookup_(std::move(lookup)) {}

  std::optional<Image> find(std::string const& reference) const;         // on this disk
  std::optional<Image> find_in_registry(std::string const& reference) const;
  Result<model::ImageDetail> inspect(std::string const& reference) const;

  void add(std::string const& reference);  // as a pull does: by its name, and by its digest where it has one
  void remove(std::string const& reference);
  void clear();  // back to those that are on every engine

 private:
  Lookup lookup_;
  std::set<std::string> added_;
  std::set<std::string> removed_;  // of those that are on every engine
};

// "nginx@sha256:…" of "nginx:1.27"; empty for an image without a digest.
std::string name_by_digest(std::string const& reference, Image const& image);

}  // namespace davit::sim
