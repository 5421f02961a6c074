#include "api/router.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "api/problem.hpp"
#include "base/nearest.hpp"
#include "http/url.hpp"

namespace davit::api {
namespace {

constexpr std::string_view kParameter = "{name}";

// Takes the first segment off; the path begins with a slash or is empty.
std::string_view take_segment(std::string_view& path) {
  auto const end = std::min(path.find('/', 1), path.size());
  auto const segment = path.substr(1, end - 1);
  path.remove_prefix(end);
  return segment;
}

// `name`: still encoded.
bool fits(std::string_view pattern, std::string_view path, std::string_view& name) {
  while (!pattern.empty() && !path.empty()) {
    auto const expected = take_segment(pattern);
    auto const segment = take_segment(path);
    if (segment.empty()) return false;
    if (expected == kParameter) name = segment;
    else if (expected != segment) return false;
  }
  return pattern.empty() && path.empty();
}

bool serves(Route const& route, std::string_view method) { return route.method == method || (method == "HEAD" && route.method == "GET"); }

std::optional<http::Response> refuse_query(Route const& route, http::Query const& query) {
  for (auto const& [name, value] : query) {
    if (std::ranges::find(route.query, name) != route.query.end()) continue;
    std::vector<std::string> const known(route.query.begin(), route.query.end());
    auto const near = nearest(name, known);
    std::string detail = "it takes no parameters";
    if (!near.empty()) detail = fmt::format("did you mean {}?", near);
    else if (!known.empty()) detail = fmt::format("no such parameter; there are: {}", fmt::join(known, ", "));
    return problem_at(problem_kind::kBadParameter, "?" + name, "unknown_parameter", std::move(detail));
  }
  return std::nullopt;
}

}  // namespace

std::string canonical_path(std::string_view path) {
  if (path.starts_with("/v1/")) path.remove_prefix(3);
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  constexpr std::string_view kSingular = "/service";
  if (path == kSingular || path.starts_with("/service/")) return fmt::format("/services{}", path.substr(kSingular.size()));
  return std::string(path);
}

Router::Router(std::vector<Route> routes) : routes_(std::move(routes)) {
  for (auto const& route : routes_) {
    if (std::ranges::find(paths_, route.path) == paths_.end()) paths_.emplace_back(route.path);
  }
}

Router::Match Router::match(http::Request const& request) const {
  auto const path = canonical_path(request.path);
  std::string allowed;
  if (path.starts_with('/')) {
    for (auto const& route : routes_) {
      std::string_view name;
      if (!fits(route.path, path, name)) continue;
      if (!serves(route, request.method)) {
        allowed += fmt::format("{}, ", route.method == "GET" ? "GET, HEAD" : route.method);
        continue;
      }
      if (auto refused = refuse_query(route, request.query)) return *std::move(refused);
      auto decoded = http::percent_decode(name);
      if (!decoded) continue;
      return Found{&route, *std::move(decoded)};
    }
  }
  if (allowed.empty()) return refuse_path(path);
  allowed += "OPTIONS";
  if (request.method == "OPTIONS") return http::Response{.status = 204, .headers = {{"Allow", allowed}}, .body = {}};
  auto refused = problem(problem_kind::kMethodNotAllowed, fmt::format("{} takes {}, not {}", path, allowed, request.method));
  refused.headers.add("Allow", allowed);
  return refused;
}

// "/service/web/log" is compared with "/services/web/logs": as if each pattern were about the same name.
http::Response Router::refuse_path(std::string_view path) const {
  std::string_view rest = path;
  if (!rest.empty()) take_segment(rest);
  auto const name = rest.empty() ? std::string_view{} : take_segment(rest);
  std::vector<std::string> candidates;
  for (auto const& pattern : paths_) {
    auto candidate = pattern;
    if (auto const at = candidate.find(kParameter); at != std::string::npos) {
      if (name.empty()) continue;
      candidate.replace(at, kParameter.size(), name);
    }
    candidates.push_back(std::move(candidate));
  }
  auto const near = nearest(path, candidates);
  return problem(problem_kind::kNoSuchRoute, near.empty() ? fmt::format("there is nothing at {}; GET /openapi.json lists all paths", path)
                                                          : fmt::format("there is nothing at {}; did you mean {}?", path, near));
}

}  // namespace davit::api
