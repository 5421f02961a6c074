#include "app/settings.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>

#include <fmt/core.h>
#include <unistd.h>

#include "app/host.hpp"
#include "base/nearest.hpp"
#include "codec/yaml.hpp"

namespace davit::app {
namespace {

constexpr std::size_t kMaxSocketPath = 107;  // sockaddr_un's limit

std::string environment_name(std::string_view option) {
  std::string name = "DAVIT_";
  for (char const c : option) name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

std::unexpected<Error> bad(std::string_view option, std::string message) {
  return fail(Code::Invalid, std::move(message), fmt::format("--{}", option));
}

Result<std::string> read_file(std::string_view option, std::filesystem::path const& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in || std::filesystem::is_directory(file)) return bad(option, fmt::format("{} cannot be read", file.string()));
  return std::string(std::istreambuf_iterator<char>(in), {});
}

Result<std::uint16_t> parse_port(std::string_view option, std::string_view text) {
  std::uint16_t port = 0;
  auto const [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (failed != std::errc{} || end != text.data() + text.size()) return bad(option, fmt::format("'{}' is not a port", text));
  return port;
}

// The file's values as the words that a flag would have.
Result<codec::Value> read_config(std::string const& file, std::vector<cli::Option> const& options) {
  if (file.empty()) return codec::Value::object();
  TRY(auto const text, read_file("config", file));
  TRY(auto document, codec::parse_yaml(text, file));
  if (document.root.is_null()) return codec::Value::object();
  if (!document.root.as_object()) return bad("config", fmt::format("{} is not a map of settings, as in \"listen: 127.0.0.1:4820\"", file));
  std::vector<std::string> names;
  for (auto const& option : options) names.push_back(option.name);
  for (auto const& member : document.root.members()) {
    if (std::ranges::find(names, member.key) != names.end()) continue;
    auto const near = nearest(member.key, names);
    return bad("config",
               fmt::format("{}: unknown setting '{}'{}", file, member.key, near.empty() ? "" : fmt::format("; did you mean {}?", near)));
  }
  return std::move(document.root);
}

class Reader {
 public:
  Reader(cli::Invocation const& invocation, Environment const& environment, codec::Value config)
      : invocation_(invocation),
        environment_(environment),
        config_(std::move(config)) {}

  std::string text(std::string const& option) const {
    if (invocation_.has(option)) return invocation_.text(option);
    if (auto const value = environment_(environment_name(option)); value && !value->empty()) return *value;
    auto const& value = config_.at(option);
    if (auto const* text = value.as_string()) return *text;
    if (auto const number = value.as_int()) return std::to_string(*number);
    if (auto const boolean = value.as_bool()) return *boolean ? "true" : "false";
    return {};
  }
  Result<bool> is_on(std::string const& option) const {
    auto const value = text(option);
    if (value.empty() || value == "false" || value == "0" || value == "no") return false;
    if (value == "true" || value == "1" || value == "yes") return true;
    return bad(option, fmt::format("'{}' is neither true nor false", value));
  }

 private:
  cli::Invocation const& invocation_;
  Environment const& environment_;
  codec::Value config_;
};

Status read_listen(Reader const& reader, Settings& settings) {
  auto const text = reader.text("listen");
  if (text.empty()) return {};
  auto const colon = text.rfind(':');
  if (colon == std::string::npos) return bad("listen", fmt::format("'{}' is not ADDR:PORT, as in 127.0.0.1:4820", text));
  settings.listen_host = text.substr(0, colon);
  if (settings.listen_host.empty()) settings.listen_host = "0.0.0.0";
  if (settings.listen_host.starts_with('[') && settings.listen_host.ends_with(']')) {
    settings.listen_host = settings.listen_host.substr(1, settings.listen_host.size() - 2);
  }
  TRY(settings.listen_port, parse_port("listen", std::string_view(text).substr(colon + 1)));
  return {};
}

Status read_token(Reader const& reader, Settings& settings) {
  if (auto const file = reader.text("api-token-file"); !file.empty()) {
    TRY(auto token, read_file("api-token-file", file));
    while (!token.empty() && std::isspace(static_cast<unsigned char>(token.back()))) token.pop_back();
    if (token.size() < 16)
      return bad("api-token-file", fmt::format("{} holds no token of at least 16 characters; make one with: openssl rand -hex 32", file));
    settings.api_token = std::move(token);
  }
  TRY(auto const is_insecure, reader.is_on("insecure"));
  if (!is_loopback(settings.listen_host) && !settings.api_token && !is_insecure) {
    return bad("listen", fmt::format("{} can be reached from other machines, and whoever reaches the API commands this one: "
                                     "give an --api-token-file, or --insecure to go without",
                                     settings.listen_host));
  }
  return {};
}

Status read_port_range(Reader const& reader, Settings& settings) {
  auto const text = reader.text("port-range");
  if (text.empty()) return {};
  auto const dash = text.find('-');
  if (dash == std::string::npos) return bad("port-range", fmt::format("'{}' is not FIRST-LAST, as in 20000-29999", text));
  TRY(settings.ports.first, parse_port("port-range", std::string_view(text).substr(0, dash)));
  TRY(settings.ports.last, parse_port("port-range", std::string_view(text).substr(dash + 1)));
  if (settings.ports.first == 0 || settings.ports.first > settings.ports.last)
    return bad("port-range", fmt::format("'{}' holds no port", text));
  return {};
}

}  // namespace

std::vector<cli::Option> up_options() {
  return {
      {.name = "listen", .value = "ADDR:PORT", .help = "where the API answers (default 127.0.0.1:4820)"},
      {.name = "data-dir", .value = "DIR", .help = "where state is kept (default ~/.local/share/davit, for root /var/lib/davit)"},
      {.name = "node", .value = "NAME", .help = "this node's name (default: the host's)"},
      {.name = "advertise", .value = "ADDR", .help = "the address under which instances are reached (default: of the default route)"},
      {.name = "docker-host", .value = "URL", .help = "the engine, as in DOCKER_HOST (default: as the docker command finds it)"},
      {.name = "port-range", .value = "FIRST-LAST", .help = "ports picked for instances (default 20000-29999)"},
      {.name = "api-token-file", .value = "FILE", .help = "the token that API clients must present"},
      {.name = "insecure", .help = "listen beyond this machine without a token"},
      {.name = "log-level",
       .value = "LEVEL",
       .help = "trace, debug, info, warn, error or off (default info)",
       .words = {"trace", "debug", "info", "warn", "error", "off"}},
      {.name = "stop-services", .help = "stop all instances when davit stops; they start again with it"},
      {.name = "config", .value = "FILE", .help = "a YAML file with these settings under the same names"},
  };
}

std::filesystem::path data_dir_of(std::string const& given, Environment const& environment) {
  if (!given.empty()) return std::filesystem::absolute(given);
  if (geteuid() == 0) return "/var/lib/davit";
  if (auto const data = environment("XDG_DATA_HOME"); data && !data->empty()) return std::filesystem::path(*data) / "davit";
  return std::filesystem::path(environment("HOME").value_or("/")) / ".local/share/davit";
}

Result<Settings> read_settings(cli::Invocation const& invocation, Environment const& environment) {
  auto const config_file = invocation.has("config") ? invocation.text("config") : environment("DAVIT_CONFIG").value_or("");
  TRY(auto config, read_config(config_file, up_options()));
  Reader const reader(invocation, environment, std::move(config));

  Settings settings;
  TRY_VOID(read_listen(reader, settings));
  TRY_VOID(read_token(reader, settings));
  TRY_VOID(read_port_range(reader, settings));
  auto const data_dir = reader.text("data-dir");
  settings.data_dir = data_dir_of(data_dir, environment);
  settings.socket = geteuid() == 0 && data_dir.empty() ? std::filesystem::path("/run/davit.sock") : settings.data_dir / "davit.sock";
  if (settings.socket.string().size() > kMaxSocketPath) {
    return bad("data-dir", fmt::format("{} is too long for a unix socket in it (at most {} characters)", settings.data_dir.string(),
                                       kMaxSocketPath - 11));
  }
  settings.node = reader.text("node");
  if (settings.node.empty()) settings.node = host_name();
  settings.advertise = reader.text("advertise");
  if (settings.advertise.empty()) settings.advertise = default_route_address();
  settings.docker_host = reader.text("docker-host");
  if (auto const level = reader.text("log-level"); !level.empty()) settings.log_level = level;
  TRY(settings.stop_services, reader.is_on("stop-services"));
  return settings;
}

}  // namespace davit::app
