// The API's paths for what the user named.
#pragma once

#include <string>
#include <string_view>

#include "http/url.hpp"

namespace davit::cli {

// service_path("web", "/history") is "/services/web/history"; names are encoded, whatever they hold.
inline std::string service_path(std::string_view name, std::string_view below = {}) {
  return "/services/" + http::percent_encode(name) + std::string(below);
}
inline std::string node_path(std::string_view name, std::string_view below = {}) {
  return "/nodes/" + http::percent_encode(name) + std::string(below);
}

}  // namespace davit::cli
