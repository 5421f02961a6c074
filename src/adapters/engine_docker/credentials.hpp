// A registry's credentials out of docker's configuration file, for the X-Registry-Auth header of one pull. Read anew for
// each pull: a user's `docker login` counts at once.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "base/result.hpp"
#include "base/time.hpp"
#include "codec/value.hpp"
#include "runtime/asio_loop.hpp"

namespace davit::engine_docker {

struct RegistryLogin {
  std::string username;
  std::string password;
  std::string identity_token;  // in place of both
  std::string server;          // "host:5000", "https://index.docker.io/v1/"
  friend bool operator==(RegistryLogin const&, RegistryLogin const&) = default;
};
// A program, docker-credential-<name>, that keeps the login.
struct LoginHelper {
  std::string program;
  std::string server;
  friend bool operator==(LoginHelper const&, LoginHelper const&) = default;
};

// For a registry as in "docker.io" or "host:5000". A helper is asked first, as docker does.
std::optional<LoginHelper> find_helper(codec::Value const& config, std::string_view registry);
std::optional<RegistryLogin> find_login(codec::Value const& config, std::string_view registry);
// What a helper has printed; Code::NotFound when it knows no login for the server.
Result<RegistryLogin> read_helper_output(std::string_view output, std::string_view server);
std::string encode_login(RegistryLogin const& login);

struct RegistryAuth {
  std::string header;   // "": ask the registry without
  std::string problem;  // why there are no credentials although some are configured; for the message of a failed pull
};
boost::asio::awaitable<RegistryAuth> async_find_auth(runtime::AsioLoop* loop, std::filesystem::path config_folder, std::string registry,
                                                     Monotonic deadline);

}  // namespace davit::engine_docker
