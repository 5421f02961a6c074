#include "api/access.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "api/problem.hpp"
#include "model/syntax.hpp"

namespace davit::api {
namespace {

// Takes as long for a token that is nearly right as for one that is not.
bool equals_in_constant_time(std::string_view given, std::string_view expected) {
  unsigned difference = given.size() == expected.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i) {
    difference |= static_cast<unsigned char>(given[i]) ^ static_cast<unsigned char>(expected[expected.empty() ? 0 : i % expected.size()]);
  }
  return difference == 0;
}

bool is_read(std::string_view method) { return method == "GET" || method == "HEAD" || method == "OPTIONS"; }

// "http://localhost:3000" → "localhost:3000"; "null" → "".
std::string_view authority_of(std::string_view origin) {
  auto const at = origin.find("://");
  return at == std::string_view::npos ? std::string_view{} : origin.substr(at + 3);
}

bool has_token(http::Request const& request, std::string_view token) {
  constexpr std::string_view kScheme = "Bearer ";
  auto const given = request.headers.get("Authorization");
  return given.size() > kScheme.size() && http::equals_ignoring_case(given.substr(0, kScheme.size()), kScheme) &&
         equals_in_constant_time(given.substr(kScheme.size()), token);
}

}  // namespace

std::string_view host_without_port(std::string_view host) {
  if (host.starts_with('[')) {
    auto const end = host.find(']');
    return end == std::string_view::npos ? host : host.substr(1, end - 1);
  }
  return host.substr(0, host.find(':'));
}

bool is_loopback_host(std::string_view host) {
  return http::equals_ignoring_case(host, "localhost") || host == "::1" || (model::is_ipv4(host) && host.starts_with("127."));
}

Access::Access(AccessOptions options) : options_(std::move(options)), checks_host_(is_loopback_host(options_.listen_host)) {}

bool Access::is_own_name(std::string_view host) const {
  auto const is_it = [&](std::string_view name) { return !name.empty() && http::equals_ignoring_case(host, name); };
  return is_loopback_host(host) || is_it(options_.listen_host) || is_it(options_.node) || std::ranges::any_of(options_.hosts, is_it);
}

std::optional<http::Response> Access::refuse(http::Request const& request) const {
  if (request.transport == http::Transport::Unix) return std::nullopt;
  auto const host = request.headers.find("Host");
  if (checks_host_ && host && !is_own_name(host_without_port(*host))) {
    return problem(problem_kind::kForeignHost, fmt::format("this listener is for this machine only and not '{}': ask localhost", *host));
  }
  if (auto const origin = request.headers.find("Origin"); origin && !is_read(request.method)) {
    auto const authority = authority_of(*origin);
    bool const is_same = host && http::equals_ignoring_case(authority, *host);
    if (authority.empty() || (!is_same && !is_own_name(host_without_port(authority)))) {
      return problem(problem_kind::kCrossSite, fmt::format("a web page of '{}' may not change anything here", *origin));
    }
  }
  if (!options_.token || request.path == "/healthz" || request.path == "/v1/healthz" || has_token(request, *options_.token))
    return std::nullopt;
  auto refused =
      problem(problem_kind::kUnauthorized, "send Authorization: Bearer with the token of --api-token-file, or use the unix socket");
  refused.headers.add("WWW-Authenticate", "Bearer realm=\"davit\"");
  return refused;
}

}  // namespace davit::api
