#include "app/dns_settings.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>

#include <fmt/core.h>

#include "core/dns/address.hpp"
#include "core/dns/name.hpp"

namespace davit::app {
namespace {

constexpr std::size_t kMostDomain = 100;  // characters: the longest name below it, of a port of a service, must fit into 255

bool is_domain(std::string const& text) {
  auto const name = dns::Name::parse(text);
  if (!name || name->count() == 0 || text.size() > kMostDomain) return false;
  for (std::size_t i = 0; i < name->count(); ++i) {
    auto const label = name->label(i);
    auto const is_good = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '-'; };
    if (!std::ranges::all_of(label, is_good) || label.starts_with('-') || label.ends_with('-')) return false;
  }
  return true;
}

}  // namespace

Result<DnsSettings> read_dns_settings(SettingReader const& reader) {
  DnsSettings settings;
  if (auto const domain = reader.text("dns-domain"); !domain.empty()) {
    if (!is_domain(domain))
      return bad("dns-domain",
                 fmt::format("'{}' is no domain of letters, digits, '-' and '.', at most {} characters", domain, kMostDomain));
    settings.domain = dns::to_string(*dns::Name::parse(domain));
  }
  auto const listen = reader.text("dns-listen");
  settings.is_on = listen != "none";
  if (listen.empty() || !settings.is_on) return settings;
  TRY(settings.listen, parse_host_port("dns-listen", listen, kDnsPort));
  if (!dns::parse_address(settings.listen->host))
    return bad("dns-listen", fmt::format("'{}' is no IP address: write ADDR[:PORT], as in 10.0.0.11, or none", settings.listen->host));
  return settings;
}

}  // namespace davit::app
