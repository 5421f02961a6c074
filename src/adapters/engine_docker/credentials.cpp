#include "adapters/engine_docker/credentials.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "adapters/engine_docker/base64.hpp"
#include "adapters/engine_docker/docker_config.hpp"
#include "adapters/engine_docker/helper_process.hpp"
#include "codec/json.hpp"

namespace davit::engine_docker {
namespace asio = boost::asio;
namespace {

using codec::Value;

constexpr std::string_view kHubServer = "https://index.docker.io/v1/";
constexpr Duration kHelperTimeout = 10s;

std::string server_of(std::string_view registry) { return std::string(registry == "docker.io" ? kHubServer : registry); }

// Users' files name a registry as "host:5000", "https://host:5000", "https://host:5000/v2/".
std::string_view host_of(std::string_view server) {
  if (auto const scheme = server.find("://"); scheme != std::string_view::npos) server.remove_prefix(scheme + 3);
  return server.substr(0, server.find('/'));
}

Value const* find_by_host(Value const& entries, std::string const& server) {
  if (auto const& exact = entries.at(server); !exact.is_null()) return &exact;
  for (auto const& [key, entry] : entries.members()) {
    if (host_of(key) == host_of(server)) return &entry;
  }
  return nullptr;
}

// The name becomes part of a program's name that is looked up in $PATH.
bool is_helper_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

RegistryAuth login_of_file(Value const& config, std::string const& registry, std::string problem) {
  auto const login = find_login(config, registry);
  return login ? RegistryAuth{encode_login(*login), ""} : RegistryAuth{"", std::move(problem)};
}

}  // namespace

std::optional<LoginHelper> find_helper(Value const& config, std::string_view registry) {
  auto const server = server_of(registry);
  auto const* own = find_by_host(config.at("credHelpers"), server);
  auto const name = own ? own->text() : config.at("credsStore").text();
  if (!is_helper_name(name)) return std::nullopt;
  return LoginHelper{fmt::format("docker-credential-{}", name), server};
}

std::optional<RegistryLogin> find_login(Value const& config, std::string_view registry) {
  auto const server = server_of(registry);
  auto const* entry = find_by_host(config.at("auths"), server);
  if (!entry) return std::nullopt;
  RegistryLogin login{std::string(entry->at("username").text()), std::string(entry->at("password").text()),
                      std::string(entry->at("identitytoken").text()), server};
  if (auto const decoded = decode_base64(entry->at("auth").text()); decoded && decoded->find(':') != std::string::npos) {
    auto const colon = decoded->find(':');
    login.username = decoded->substr(0, colon);
    login.password = decoded->substr(colon + 1);
    while (login.password.ends_with('\0')) login.password.pop_back();  // written so by old docker clients
  }
  // An empty entry only remembers that a helper has the login.
  if (login.username.empty() && login.identity_token.empty()) return std::nullopt;
  return login;
}

Result<RegistryLogin> read_helper_output(std::string_view output, std::string_view server) {
  auto const answer = codec::parse_json(output);
  if (!answer) {
    if (output.find("credentials not found") != std::string_view::npos) return fail(Code::NotFound, "it has no login for this registry");
    constexpr std::size_t kShown = 200;
    auto const end = std::min(output.find('\n'), kShown);
    return fail(Code::Invalid,
                output.empty() ? std::string("it printed nothing") : fmt::format("it printed \"{}\"", output.substr(0, end)));
  }
  auto const username = std::string(answer->at("Username").text());
  auto const secret = std::string(answer->at("Secret").text());
  if (secret.empty()) return fail(Code::NotFound, "it has no login for this registry");
  if (username == "<token>") return RegistryLogin{"", "", secret, std::string(server)};
  return RegistryLogin{username, secret, "", std::string(server)};
}

std::string encode_login(RegistryLogin const& login) {
  auto out = login.identity_token.empty() ? Value::object({{"username", login.username}, {"password", login.password}})
                                          : Value::object({{"identitytoken", login.identity_token}});
  out.set("serveraddress", login.server);
  return encode_base64url(codec::dump(out));
}

asio::awaitable<RegistryAuth> async_find_auth(runtime::AsioLoop* loop, std::filesystem::path config_folder, std::string registry,
                                              Monotonic deadline) {
  auto const config = read_json_file(config_folder / "config.json");
  if (!config) co_return RegistryAuth{"", config.error().message};
  auto const helper = find_helper(*config, registry);
  if (!helper) co_return login_of_file(*config, registry, "");
  std::vector<std::string> const command{helper->program, "get"};
  auto const helper_deadline = std::min(deadline, loop->now().monotonic + kHelperTimeout);
  auto const output = co_await async_run_helper(loop, command, helper->server + "\n", helper_deadline);
  auto const login = output ? read_helper_output(*output, helper->server) : Result<RegistryLogin>(std::unexpected(output.error()));
  if (login) co_return RegistryAuth{encode_login(*login), ""};
  bool const is_unknown = output && login.error().code == Code::NotFound;
  co_return login_of_file(*config, registry, is_unknown ? "" : fmt::format("{}: {}", helper->program, login.error().message));
}

}  // namespace davit::engine_docker
