#include "http/url.hpp"

#include <charconv>
#include <optional>

#include <fmt/core.h>
#include <boost/url/encode.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/pct_string_view.hpp>
#include <boost/url/rfc/pchars.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <boost/url/url_view.hpp>

namespace davit::http {
namespace urls = boost::urls;

namespace {

std::unexpected<Error> bad_endpoint(std::string_view text, std::string_view why) {
  return fail(Code::Invalid, fmt::format("'{}' is no endpoint: {}; write unix:///path, tcp://host:port or https://host:port", text, why));
}

std::string decode(urls::pct_string_view text, bool plus_is_space) {
  urls::encoding_opts options;
  options.space_as_plus = plus_is_space;
  return text.decode(options);
}

// Segment by segment: an escaped slash is a character of its segment and separates nothing.
std::string normalized_path(urls::pct_string_view path) {
  std::string_view const text(path.data(), path.size());
  if (!text.contains('%')) return std::string(text);
  std::string normalized;
  for (std::size_t begin = 0; begin <= text.size();) {
    auto const end = std::min(text.find('/', begin), text.size());
    auto const segment = urls::make_pct_string_view({text.data() + begin, end - begin});
    normalized += urls::encode(decode(*segment, false), urls::pchars);
    if (end < text.size()) normalized += '/';
    begin = end + 1;
  }
  return normalized;
}

std::optional<std::uint16_t> parse_port(std::string_view digits) {
  std::uint16_t port = 0;
  auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size() || port == 0) return std::nullopt;
  return port;
}

Result<Endpoint> parse_authority(std::string_view text, std::string_view authority, bool tls, std::uint16_t default_port) {
  if (authority.ends_with('/')) authority.remove_suffix(1);
  if (authority.find_first_of("/?#@ ") != std::string_view::npos) return bad_endpoint(text, "only a host and a port may follow");
  Endpoint endpoint{.kind = Endpoint::Kind::Tcp, .path = {}, .host = {}, .port = default_port, .tls = tls};
  std::string_view port;
  if (authority.starts_with('[')) {
    auto const bracket = authority.find(']');
    if (bracket == std::string_view::npos) return bad_endpoint(text, "a ']' is missing");
    endpoint.host = authority.substr(1, bracket - 1);
    port = authority.substr(bracket + 1);
  } else {
    auto const colon = std::min(authority.find(':'), authority.size());
    endpoint.host = authority.substr(0, colon);
    port = authority.substr(colon);
    if (port.find(':', 1) != std::string_view::npos) return bad_endpoint(text, "an IPv6 address goes into brackets");
  }
  if (endpoint.host.empty()) return bad_endpoint(text, "the host is missing");
  if (port.empty()) {
    if (default_port == 0) return bad_endpoint(text, "the port is missing");
    return endpoint;
  }
  auto const number = port.starts_with(':') ? parse_port(port.substr(1)) : std::nullopt;
  if (!number) return bad_endpoint(text, "the port is a number from 1 to 65535");
  endpoint.port = *number;
  return endpoint;
}

}  // namespace

std::string percent_encode(std::string_view text) { return urls::encode({text.data(), text.size()}, urls::unreserved_chars); }

Result<std::string> percent_decode(std::string_view text) {
  auto const encoded = urls::make_pct_string_view({text.data(), text.size()});
  if (!encoded || text.contains("%00")) return fail(Code::Invalid, fmt::format("'{}' is not percent-encoded text", text));
  return decode(*encoded, false);
}

std::string encode_query(Query const& query) {
  std::string text;
  for (auto const& [name, value] : query) {
    text += text.empty() ? '?' : '&';
    text += percent_encode(name);
    text += '=';
    text += percent_encode(value);
  }
  return text;
}

Result<Target> parse_target(std::string_view target) {
  if (target == "*") return Target{.path = "*", .query = {}};
  urls::string_view const text(target.data(), target.size());
  auto const url = target.starts_with('/') ? urls::parse_origin_form(text) : urls::parse_absolute_uri(text);
  if (!url || target.contains("%00"))
    return fail(Code::Invalid, "the request's target is not a URL path; percent-encode what is special in it");
  Target parsed{.path = normalized_path(url->encoded_path()), .query = {}};
  if (parsed.path.empty()) parsed.path = "/";
  if (url->has_query()) {
    for (auto const param : url->encoded_params()) parsed.query.emplace_back(decode(param.key, true), decode(param.value, true));
  }
  return parsed;
}

std::string to_string(Endpoint const& endpoint) {
  if (endpoint.kind == Endpoint::Kind::Unix) return "unix://" + endpoint.path;
  bool const is_ipv6 = endpoint.host.contains(':');
  return fmt::format("{}://{}{}{}:{}", endpoint.tls ? "https" : "http", is_ipv6 ? "[" : "", endpoint.host, is_ipv6 ? "]" : "",
                     endpoint.port);
}

Result<Endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port) {
  if (text.starts_with("unix://") || text.starts_with('/')) {
    std::string_view const path = text.starts_with('/') ? text : text.substr(7);
    if (!path.starts_with('/')) return bad_endpoint(text, "the socket's path must start with '/'");
    return Endpoint{.kind = Endpoint::Kind::Unix, .path = std::string(path), .host = {}, .port = 0, .tls = false};
  }
  auto const scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return parse_authority(text, text, false, default_port);
  std::string_view const scheme = text.substr(0, scheme_end);
  std::string_view const rest = text.substr(scheme_end + 3);
  if (scheme == "tcp") return parse_authority(text, rest, false, default_port);
  if (scheme == "http") return parse_authority(text, rest, false, default_port != 0 ? default_port : std::uint16_t{80});
  if (scheme == "https") return parse_authority(text, rest, true, default_port != 0 ? default_port : std::uint16_t{443});
  return bad_endpoint(text, "its scheme is unknown");
}

}  // namespace davit::http
