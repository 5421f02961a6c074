#include "app/setting_reader.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <fstream>
#include <iterator>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "base/host_port.hpp"
#include "base/nearest.hpp"
#include "codec/yaml.hpp"

namespace davit::app {
namespace {

std::string environment_name(std::string_view option) {
  std::string name = "DAVIT_";
  for (char const c : option) name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

Result<std::string> read_file(std::string_view option, std::filesystem::path const& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in || std::filesystem::is_directory(file)) return bad(option, fmt::format("{} cannot be read", file.string()));
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// A value of the file as a flag would have it.
std::string words_of(codec::Value const& value) {
  if (auto const* text = value.as_string()) return *text;
  if (auto const number = value.as_int()) return std::to_string(*number);
  if (auto const boolean = value.as_bool()) return *boolean ? "true" : "false";
  std::string all;
  for (auto const& item : value.items()) all += fmt::format("{}{}", all.empty() ? "" : ",", item.text());
  return all;
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

}  // namespace

std::unexpected<Error> bad(std::string_view option, std::string message) {
  return fail(Code::Invalid, std::move(message), fmt::format("--{}", option));
}

Result<SettingReader> SettingReader::open(cli::Invocation const& invocation, Environment const& environment,
                                          std::vector<cli::Option> const& options) {
  auto const file = invocation.has("config") ? invocation.text("config") : environment("DAVIT_CONFIG").value_or("");
  TRY(auto config, read_config(file, options));
  return SettingReader(invocation, environment, std::move(config));
}

std::optional<std::string> SettingReader::given(std::string const& option) const {
  if (invocation_.has(option)) return invocation_.text(option);
  if (auto value = environment_(environment_name(option)); value && !value->empty()) return value;
  return std::nullopt;
}

std::string SettingReader::text(std::string const& option) const {
  if (auto value = given(option)) return *std::move(value);
  return words_of(config_.at(option));
}

Result<bool> SettingReader::is_on(std::string const& option) const {
  auto const value = text(option);
  if (value.empty() || value == "false" || value == "0" || value == "no") return false;
  if (value == "true" || value == "1" || value == "yes") return true;
  return bad(option, fmt::format("'{}' is neither true nor false", value));
}

std::vector<std::string> SettingReader::list(std::string const& option) const {
  std::vector<std::string> all;
  auto rest = invocation_.has(option) ? fmt::format("{}", fmt::join(invocation_.all(option), ",")) : text(option);
  while (!rest.empty()) {
    auto const comma = std::min(rest.find(','), rest.size());
    auto item = rest.substr(0, comma);
    while (item.starts_with(' ')) item.erase(0, 1);
    while (item.ends_with(' ')) item.pop_back();
    if (!item.empty()) all.push_back(std::move(item));
    rest.erase(0, std::min(comma + 1, rest.size()));
  }
  return all;
}

Result<std::map<std::string, std::string>> SettingReader::pairs(std::string const& option) const {
  std::vector<std::pair<std::string, std::string>> all;
  if (auto const& value = config_.at(option); !given(option) && value.as_object()) {
    for (auto const& [key, member] : value.members()) all.emplace_back(key, words_of(member));
  } else {
    for (auto const& item : list(option)) {
      auto const equals = std::min(item.find('='), item.size());
      all.emplace_back(item.substr(0, equals), item.substr(std::min(equals + 1, item.size())));
    }
  }
  std::map<std::string, std::string> pairs;
  for (auto& [key, each] : all) {
    if (!pairs.emplace(key, std::move(each)).second) return bad(option, fmt::format("{} is given twice", key));
  }
  return pairs;
}

Result<std::string> SettingReader::content_of_file(std::string const& option) const {
  auto const file = text(option);
  if (file.empty()) return std::string();
  return read_file(option, file);
}

Result<std::uint16_t> parse_port(std::string_view option, std::string_view text) {
  std::uint16_t port = 0;
  auto const [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (failed != std::errc{} || end != text.data() + text.size()) return bad(option, fmt::format("'{}' is not a port", text));
  return port;
}

Result<HostPort> parse_host_port(std::string_view option, std::string_view text, std::uint16_t port) {
  auto const colon = text.rfind(':');
  bool const is_bare_ipv6 = colon != std::string_view::npos && text.find(':') != colon && text.front() != '[';
  bool const has_port = colon != std::string_view::npos && !is_bare_ipv6 && !text.ends_with(']');
  if (!has_port && port == 0) return bad(option, fmt::format("'{}' is not ADDR:PORT, as in 127.0.0.1:4820", text));
  HostPort address{std::string(has_port ? text.substr(0, colon) : text), port};
  if (has_port) {
    TRY(address.port, parse_port(option, text.substr(colon + 1)));
  }
  if (address.host.empty()) address.host = "0.0.0.0";
  if (address.host.starts_with('[') && address.host.ends_with(']')) address.host = address.host.substr(1, address.host.size() - 2);
  return address;
}

std::string to_string(HostPort const& address) { return host_port(address.host, address.port); }

}  // namespace davit::app
