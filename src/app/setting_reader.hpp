// One setting of a process that runs a node: from its flag, else from the environment, else from the --config file. Errors name the
// flag in their field ("--listen").
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cli/command.hpp"
#include "codec/value.hpp"

namespace davit::app {

using Environment = std::function<std::optional<std::string>(std::string const&)>;

std::unexpected<Error> bad(std::string_view option, std::string message);

class SettingReader {
 public:
  // `options`: those that the file may name.
  static Result<SettingReader> open(cli::Invocation const& invocation, Environment const& environment,
                                    std::vector<cli::Option> const& options);

  std::string text(std::string const& option) const;  // "": not given
  Result<bool> is_on(std::string const& option) const;
  std::vector<std::string> list(std::string const& option) const;  // "a,b"; the flag may be given several times
  // A list of "key=value", of which the file may make a map. Without '=' the value is empty.
  Result<std::map<std::string, std::string>> pairs(std::string const& option) const;
  Result<std::string> content_of_file(std::string const& option) const;  // "": not given

 private:
  std::optional<std::string> given(std::string const& option) const;  // by flag or environment
  SettingReader(cli::Invocation const& invocation, Environment const& environment, codec::Value config)
      : invocation_(invocation),
        environment_(environment),
        config_(std::move(config)) {}

  cli::Invocation const& invocation_;
  Environment const& environment_;
  codec::Value config_;
};

Result<std::uint16_t> parse_port(std::string_view option, std::string_view text);

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};
// "10.0.0.1:4820", "[::1]:4820", ":4820" for all addresses; without a port `port` holds, if it is not 0.
Result<HostPort> parse_host_port(std::string_view option, std::string_view text, std::uint16_t port = 0);
std::string to_string(HostPort const& address);

}  // namespace davit::app
