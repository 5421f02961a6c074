// The numbers of ports that services name for more than one node: an ingress port is one service's alone, on every node. Kept by the
// Master from the heads that it sees, so that a clash is refused where it is asked for. Masters decide at the same time, each on its own
// view, so that two may get through: then the older service has the port, and the other one's status says so.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "model/spec.hpp"

namespace davit::master {

class PortClaims {
 public:
  // What the service claims from now on. Gives the names of the other services that named one of its ports, before or now.
  std::set<std::string> put(std::string const& service, ServiceUid uid, model::ServiceSpec const& spec);
  std::set<std::string> erase(ServiceUid uid);

  // Code::Invalid names the port's place in the spec and the service that has it. What the service claims already stays as it is.
  Status check(std::string_view service, ServiceUid uid, model::ServiceSpec const& spec) const;
  // The older service that the ingress port belongs to; null: to the service itself.
  std::string const* older_claimant(ServiceUid uid, model::PortSpec const& port) const;

 private:
  using Key = std::pair<model::Protocol, std::int64_t>;
  struct Claim {
    std::string service;
    model::PortMode mode = model::PortMode::Host;
  };

  std::map<Key, std::map<ServiceUid, Claim>> claims_;  // none is empty
  std::map<ServiceUid, std::set<Key>> of_service_;     // none is empty
};

}  // namespace davit::master
