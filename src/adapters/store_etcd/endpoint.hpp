// etcd's endpoints as users write them. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace davit::store_etcd {

struct Endpoints {
  std::vector<std::string> addresses;  // host:port
  bool is_secure = false;              // https
};

// "host:port", "[address]:port", "http://host:port", "https://host:port"; with or without TLS all alike.
Result<Endpoints> parse_endpoints(std::vector<std::string> const& texts);

}  // namespace davit::store_etcd
