// Where a probe goes (spec.hpp: Healthcheck::http and tcp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace davit::model {

struct ProbeTarget {
  std::string host;  // an address
  std::uint16_t port = 0;
  std::optional<std::string> path;  // of a GET request, which must answer 2xx or 3xx; none: a connection is enough
  friend bool operator==(ProbeTarget const&, ProbeTarget const&) = default;
};

}  // namespace davit::model
