// The process's environment, as everything in app/ reads it.
#pragma once

#include <cstdlib>
#include <optional>
#include <string>

namespace davit::app {

inline std::optional<std::string> environment(std::string const& name) {
  auto const* value = std::getenv(name.c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

}  // namespace davit::app
