// What `davit up` is told: by flag, else by environment (DAVIT_LISTEN), else by the --config file, else by default.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cli/command.hpp"
#include "core/agent/port_pool.hpp"

namespace davit::app {

struct Settings {
  std::string listen_host = "127.0.0.1";
  std::uint16_t listen_port = 4820;
  std::filesystem::path data_dir;
  std::filesystem::path socket;  // the API's unix socket
  std::string node;
  std::string advertise;
  std::string docker_host;
  agent::PortRange ports;
  std::optional<std::string> api_token;
  std::string log_level = "info";
  bool stop_services = false;
};

// The options as the command line shows them; the same names stand in the environment and in the file.
std::vector<cli::Option> up_options();

using Environment = std::function<std::optional<std::string>(std::string const&)>;

// Error::field names the setting, as "--listen".
Result<Settings> read_settings(cli::Invocation const& invocation, Environment const& environment);

// Of --data-dir, or the default of the user who runs it.
std::filesystem::path data_dir_of(std::string const& given, Environment const& environment);

}  // namespace davit::app
