// The docker client's own files: ~/.docker/config.json and its contexts. Read by every caller anew, because users log in and
// switch contexts while Davit runs.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "codec/value.hpp"

namespace davit::engine_docker {

// The process's environment, or a test's; nothing for what is not set.
using Environment = std::function<std::optional<std::string>(std::string const& name)>;
Environment process_environment();

std::filesystem::path docker_config_folder(Environment const& environment);  // $DOCKER_CONFIG, else $HOME/.docker

// Null where there is no such file. Code::Invalid names the file that is no JSON.
Result<codec::Value> read_json_file(std::filesystem::path const& path);

}  // namespace davit::engine_docker
