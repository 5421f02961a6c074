#include "adapters/engine_docker/docker_config.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <system_error>

#include <fmt/format.h>

#include "codec/json.hpp"

namespace davit::engine_docker {

Environment process_environment() {
  return [](std::string const& name) -> std::optional<std::string> {
    char const* value = std::getenv(name.c_str());
    return value ? std::optional<std::string>(value) : std::nullopt;
  };
}

std::filesystem::path docker_config_folder(Environment const& environment) {
  if (auto const folder = environment("DOCKER_CONFIG"); folder && !folder->empty()) return *folder;
  return std::filesystem::path(environment("HOME").value_or("/root")) / ".docker";
}

Result<codec::Value> read_json_file(std::filesystem::path const& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return codec::Value();
  std::ifstream file(path, std::ios::binary);
  std::string const text{std::istreambuf_iterator<char>(file), {}};
  if (!file) return fail(Code::Invalid, fmt::format("{} cannot be read", path.string()));
  auto value = codec::parse_json(text);
  if (!value) return fail(Code::Invalid, fmt::format("{}: {}", path.string(), value.error().message));
  return std::move(*value);
}

}  // namespace davit::engine_docker
