#include "adapters/engine_docker/pull_stream.hpp"

#include "adapters/engine_docker/engine_errors.hpp"
#include "adapters/engine_docker/engine_json.hpp"

namespace davit::engine_docker {

void PullStream::push(std::string_view bytes) {
  lines_.push(bytes);
  while (auto const line = lines_.next()) on_line(*line);
}

void PullStream::on_line(std::string_view line) {
  auto const object = parse_engine_json(line);
  if (!object) return;
  // Engines from API 1.48 on have left out the older "error".
  auto const& detail = object->at("errorDetail");
  auto message = detail.at("message").text();
  if (message.empty()) message = object->at("error").text();
  if (!detail.is_null() || !message.empty()) {
    error_ = pull_error(static_cast<int>(detail.at("code").as_int().value_or(0)), clean_message(message, 0));
    return;
  }
  auto const status = object->at("status").text();
  last_status_ = status;
  constexpr std::string_view kDigest = "Digest: ";
  if (status.starts_with(kDigest)) digest_ = status.substr(kDigest.size());
  auto const id = object->at("id").text();
  if (id.empty()) return;
  auto const& progress = object->at("progressDetail");
  auto const current = progress.at("current").as_int();
  auto const total = progress.at("total").as_int();
  if (status == "Downloading" && current && total) layers_[std::string(id)] = {*current, *total};
  if (status == "Download complete" || status == "Pull complete") {
    if (auto const layer = layers_.find(std::string(id)); layer != layers_.end()) layer->second.done = layer->second.total;
  }
}

Result<model::Pulled> PullStream::finish() {
  if (!lines_.rest().empty()) on_line(std::string(lines_.rest()));
  if (error_) return std::unexpected(*error_);
  return model::Pulled{digest_};
}

std::int64_t PullStream::done_bytes() const {
  std::int64_t sum = 0;
  for (auto const& [id, layer] : layers_) sum += layer.done;
  return sum;
}

std::int64_t PullStream::total_bytes() const {
  std::int64_t sum = 0;
  for (auto const& [id, layer] : layers_) sum += layer.total;
  return sum;
}

}  // namespace davit::engine_docker
