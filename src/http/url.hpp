// Percent-encoding, and the ways in which users name an HTTP endpoint.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "http/message.hpp"

namespace davit::http {

// Everything but letters, digits and "-._~" is encoded, so the result fits into a path segment and a query value.
std::string percent_encode(std::string_view text);
Result<std::string> percent_decode(std::string_view text);  // "+" stays; %00 is refused
std::string encode_query(Query const& query);               // "?a=1&b=x%20y", or "" when empty

struct Target {
  std::string path;  // encoded, in one spelling: only what a segment cannot hold is escaped
  Query query;       // decoded
};
Result<Target> parse_target(std::string_view target);  // origin form, absolute form, or "*"

struct Endpoint {
  enum class Kind : std::uint8_t { Unix, Tcp };
  Kind kind = Kind::Unix;
  std::string path;  // Unix
  std::string host;  // Tcp: a name or an address, IPv6 without brackets
  std::uint16_t port = 0;
  bool tls = false;  // Tcp only

  friend bool operator==(Endpoint const&, Endpoint const&) = default;
};
std::string to_string(Endpoint const& endpoint);  // as parse_endpoint reads it

// "unix:///run/x.sock", "/run/x.sock", "tcp://host:port", "http://host[:port]", "https://host[:port]", "host:port", "[::1]:port".
// A port that is left out is `default_port`, or refused when that is 0.
Result<Endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port = 0);

}  // namespace davit::http
