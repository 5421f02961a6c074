#include "app/consul_settings.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace davit::app {
namespace {

constexpr std::uint16_t kHttpPort = 8500;
constexpr std::uint16_t kHttpsPort = 8501;

}  // namespace

std::vector<cli::Option> consul_options() {
  return {
      {.name = "consul",
       .value = "ADDR",
       .help = "this machine's Consul agent, as in 127.0.0.1:8500: where instances are registered, and nodes find each other"},
      {.name = "consul-ca", .value = "FILE", .help = "who signs the certificate of an https:// Consul (default: the system's authorities)"},
      {.name = "consul-token-file", .value = "FILE", .help = "the ACL token for Consul (or DAVIT_CONSUL_TOKEN)"}};
}

Result<std::optional<registry_consul::ConsulAddress>> read_consul(SettingReader const& reader, Environment const& environment) {
  auto const text = reader.text("consul");
  if (text.empty()) {
    for (auto const* option : {"consul-ca", "consul-token-file"}) {
      if (!reader.text(option).empty()) return bad(option, "there is no --consul that it could be for");
    }
    return std::optional<registry_consul::ConsulAddress>();
  }
  auto endpoint = http::parse_endpoint(text, text.starts_with("https://") ? kHttpsPort : kHttpPort);
  if (!endpoint) return bad("consul", endpoint.error().message);
  registry_consul::ConsulAddress address{.endpoint = *std::move(endpoint), .ca = reader.text("consul-ca"), .token = {}};
  if (!address.ca.empty() && !address.endpoint.tls) return bad("consul-ca", "certificates are of a --consul that begins with https://");
  TRY_VOID(reader.content_of_file("consul-ca"));
  TRY(address.token, reader.content_of_file("consul-token-file"));
  if (reader.text("consul-token-file").empty()) address.token = environment("DAVIT_CONSUL_TOKEN").value_or("");
  while (!address.token.empty() && std::isspace(static_cast<unsigned char>(address.token.back()))) address.token.pop_back();
  bool const is_printable = std::ranges::all_of(address.token, [](char c) { return std::isgraph(static_cast<unsigned char>(c)); });
  if (!is_printable) return bad("consul-token-file", "it holds more than one word: a token is one, as in 5f8e02b4-…");
  return std::optional(std::move(address));
}

}  // namespace davit::app
