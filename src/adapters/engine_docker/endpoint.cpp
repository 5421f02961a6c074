#include "adapters/engine_docker/endpoint.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace davit::engine_docker {
namespace {

constexpr std::string_view kDefaultHost = "unix:///var/run/docker.sock";
constexpr std::uint16_t kPlainPort = 2375;
constexpr std::uint16_t kTlsPort = 2376;

struct Setting {
  std::string host;
  std::string source;  // for messages
  std::optional<http::TlsFiles> tls;
};

std::string value_or_empty(Environment const& environment, std::string const& name) { return environment(name).value_or(""); }

// The files' names are docker's; one that is absent is not used.
http::TlsFiles certificates_in(std::filesystem::path const& folder, bool verify) {
  auto const file = [&](std::string_view name) {
    std::error_code error;
    return std::filesystem::exists(folder / name, error) ? (folder / name).string() : std::string();
  };
  return {file("ca.pem"), file("cert.pem"), file("key.pem"), verify};
}

std::optional<http::TlsFiles> tls_of_environment(Environment const& environment) {
  bool const verify = !value_or_empty(environment, "DOCKER_TLS_VERIFY").empty();
  if (!verify && value_or_empty(environment, "DOCKER_TLS").empty()) return std::nullopt;
  auto const folder = value_or_empty(environment, "DOCKER_CERT_PATH");
  return certificates_in(folder.empty() ? docker_config_folder(environment) : std::filesystem::path(folder), verify);
}

// Contexts lie in folders named by a hash of the context's name; the name is in the file as well, which spares the hash.
Result<Setting> read_context(std::filesystem::path const& folder, std::string const& name, std::string const& source) {
  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (auto const& entry : std::filesystem::directory_iterator(folder / "contexts" / "meta", error))
    files.push_back(entry.path() / "meta.json");
  std::sort(files.begin(), files.end());
  for (auto const& file : files) {
    auto const meta = read_json_file(file);
    if (!meta || meta->at("Name").text() != name) continue;
    auto const& endpoint = meta->at("Endpoints").at("docker");
    auto const certificates = folder / "contexts" / "tls" / file.parent_path().filename() / "docker";
    Setting setting{std::string(endpoint.at("Host").text()), fmt::format("the docker context \"{}\"", name), {}};
    bool const skip_verify = endpoint.at("SkipTLSVerify").as_bool().value_or(false);
    if (std::filesystem::exists(certificates, error) || skip_verify) setting.tls = certificates_in(certificates, !skip_verify);
    return setting;
  }
  return fail(Code::NotFound, fmt::format("{} names the docker context \"{}\", which does not exist under {}; see docker context ls",
                                          source, name, folder.string()));
}

Result<Setting> find_setting(std::string const& argument, Environment const& environment) {
  auto const tls = tls_of_environment(environment);
  if (!argument.empty()) return Setting{argument, "--docker-host", tls};
  if (auto host = value_or_empty(environment, "DOCKER_HOST"); !host.empty()) return Setting{std::move(host), "DOCKER_HOST", tls};
  auto const folder = docker_config_folder(environment);
  auto context = value_or_empty(environment, "DOCKER_CONTEXT");
  std::string source = "DOCKER_CONTEXT";
  if (context.empty()) {
    TRY(auto const config, read_json_file(folder / "config.json"));
    context = config.at("currentContext").text();
    source = (folder / "config.json").string();
  }
  if (context.empty() || context == "default") return Setting{std::string(kDefaultHost), "the default", {}};
  return read_context(folder, context, source);
}

}  // namespace

Result<EngineAddress> find_endpoint(std::string const& docker_host_argument, Environment const& environment) {
  TRY(auto const setting, find_setting(docker_host_argument, environment));
  auto const& host = setting.host;
  auto const refuse = [&](Code code, std::string_view why) {
    return fail(code, fmt::format("docker host \"{}\" ({}): {}", host, setting.source, why));
  };
  if (host.starts_with("ssh://")) {
    return refuse(Code::Unsupported,
                  "ssh is not supported; run Davit on that machine, or forward its socket (ssh -L) and name the forwarded one");
  }
  if (host.starts_with("npipe://") || host.starts_with("fd://")) return refuse(Code::Unsupported, "use unix:// or tcp://");
  auto endpoint = http::parse_endpoint(host, setting.tls ? kTlsPort : kPlainPort);
  if (!endpoint) return refuse(Code::Invalid, endpoint.error().message);
  if (endpoint->kind == http::Endpoint::Kind::Tcp && setting.tls) endpoint->tls = true;
  return EngineAddress{std::move(*endpoint), setting.tls.value_or(http::TlsFiles{})};
}

}  // namespace davit::engine_docker
