#include "sim/engine_images.hpp"

#include "model/image_reference.hpp"

namespace davit::sim {

std::string name_by_digest(std::string const& reference, Image const& image) {
  if (image.digest.empty()) return {};
  return model::repository_of(model::split_image_reference(reference)) + "@" + image.digest;
}

std::optional<Image> EngineImages::find(std::string const& reference) const {
  auto const image = lookup_(reference);
  if (!image) return std::nullopt;
  bool const is_left = image->is_here && !removed_.contains(reference);
  return is_left || added_.contains(reference) ? image : std::nullopt;
}

std::optional<Image> EngineImages::find_in_registry(std::string const& reference) const {
  auto const image = lookup_(reference);
  return image && image->is_in_registry ? image : std::nullopt;
}

Result<model::ImageDetail> EngineImages::inspect(std::string const& reference) const {
  auto const image = find(reference);
  if (!image) return fail(Code::NotFound, "No such image: " + reference, std::string(model::engine_error::kNoSuchImage));
  model::ImageDetail detail{.id = "sha256:" + reference, .has_healthcheck = image->has_healthcheck};
  if (auto name = name_by_digest(reference, *image); !name.empty()) detail.repo_digests.push_back(std::move(name));
  return detail;
}

void EngineImages::add(std::string const& reference) {
  added_.insert(reference);
  auto const image = lookup_(reference);
  if (auto name = image ? name_by_digest(reference, *image) : ""; !name.empty()) added_.insert(std::move(name));
}

void EngineImages::remove(std::string const& reference) {
  auto const image = lookup_(reference);
  for (auto const& name : {reference, image ? name_by_digest(reference, *image) : ""}) {
    added_.erase(name);
    removed_.insert(name);
  }
}

void EngineImages::clear() {
  added_.clear();
  removed_.clear();
}

}  // namespace davit::sim
