#include "adapters/store_etcd/endpoint.hpp"

#include <charconv>
#include <string_view>
#include <utility>

#include <fmt/core.h>

namespace davit::store_etcd {
namespace {

constexpr int kHighestPort = 65535;

bool is_port(std::string_view text) {
  int port = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port > 0 && port <= kHighestPort;
}

bool is_host(std::string_view text) {
  if (text.starts_with('[')) return text.size() > 2 && text.ends_with(']');
  return !text.empty() && text.find_first_of(":/[] ") == std::string_view::npos;
}

}  // namespace

Result<Endpoints> parse_endpoints(std::vector<std::string> const& texts) {
  if (texts.empty()) return fail(Code::Invalid, "no endpoint of etcd is named");
  Endpoints endpoints;
  for (auto const& text : texts) {
    std::string_view address = text;
    bool const is_secure = address.starts_with("https://");
    if (is_secure || address.starts_with("http://")) address.remove_prefix(address.find("//") + 2);
    if (address.ends_with('/')) address.remove_suffix(1);
    auto const colon = address.rfind(':');
    if (colon == std::string_view::npos || !is_host(address.substr(0, colon)) || !is_port(address.substr(colon + 1)))
      return fail(Code::Invalid, fmt::format("{} is no endpoint of etcd: it is host:port or http(s)://host:port", text));
    if (!endpoints.addresses.empty() && is_secure != endpoints.is_secure)
      return fail(Code::Invalid, "etcd's endpoints are either all https or none");
    endpoints.is_secure = is_secure;
    endpoints.addresses.emplace_back(address);
  }
  return endpoints;
}

}  // namespace davit::store_etcd
