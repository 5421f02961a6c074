// From method and path to a route. Every path also stands under /v1, and `service` for `services`. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "api/call.hpp"
#include "http/message.hpp"

namespace davit::api {

struct Route {
  std::string_view method;
  std::string_view path;  // "/services/{name}/logs"
  std::vector<std::string_view> query;  // the parameters that it knows
  Action action;
};

class Router {
 public:
  explicit Router(std::vector<Route> routes);

  struct Found {
    Route const* route = nullptr;
    std::string name;  // decoded
  };
  // A refusal (404, 405, an unknown query parameter), or the 204 of OPTIONS.
  using Match = std::variant<Found, http::Response>;
  Match match(http::Request const& request) const;

 private:
  http::Response refuse_path(std::string_view path) const;

  std::vector<Route> routes_;
  std::vector<std::string> paths_;  // each once, for "did you mean"
};

// Without "/v1", "service" and a slash at the end: the one spelling of a path, which also tells requests apart.
std::string canonical_path(std::string_view path);

}  // namespace davit::api
