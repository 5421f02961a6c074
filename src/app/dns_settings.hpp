// DNS as a node serves it: --dns-domain and --dns-listen.
#pragma once

#include <optional>
#include <string>

#include "app/setting_reader.hpp"
#include "base/result.hpp"

namespace davit::app {

inline constexpr std::uint16_t kDnsPort = 53;  // the only one that containers can be told of

struct DnsSettings {
  std::string domain = "davit";
  bool is_on = true;
  std::optional<HostPort> listen;  // absent: port 53 of the address at which containers reach this host
};

Result<DnsSettings> read_dns_settings(SettingReader const& reader);

}  // namespace davit::app
