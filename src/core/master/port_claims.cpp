#include "core/master/port_claims.hpp"

#include <fmt/core.h>

namespace davit::master {
namespace {

// A port of a range gives way to an ingress port: another one of the range is picked.
bool is_claim(model::PortSpec const& port) { return port.mode == model::PortMode::Ingress || model::is_fixed_on_node(port); }

}  // namespace

std::set<std::string> PortClaims::put(std::string const& service, ServiceUid uid, model::ServiceSpec const& spec) {
  auto others = erase(uid);
  for (auto const& port : spec.ports) {
    if (!is_claim(port)) continue;
    Key const key{port.protocol, *port.published};
    auto& claims = claims_[key];
    for (auto const& [other, claim] : claims) {
      if (other != uid) others.insert(claim.service);
    }
    // A port that is both, on one address and on all, is refused elsewhere.
    claims.insert_or_assign(uid, Claim{service, port.mode});
    of_service_[uid].insert(key);
  }
  return others;
}

std::set<std::string> PortClaims::erase(ServiceUid uid) {
  std::set<std::string> others;
  auto const found = of_service_.extract(uid);
  if (found.empty()) return others;
  for (auto const& key : found.mapped()) {
    auto const claims = claims_.find(key);
    claims->second.erase(uid);
    for (auto const& [other, claim] : claims->second) others.insert(claim.service);
    if (claims->second.empty()) claims_.erase(claims);
  }
  return others;
}

Status PortClaims::check(std::string_view service, ServiceUid uid, model::ServiceSpec const& spec) const {
  for (std::size_t i = 0; i < spec.ports.size(); ++i) {
    auto const& port = spec.ports[i];
    if (!is_claim(port)) continue;
    auto const claims = claims_.find({port.protocol, *port.published});
    if (claims == claims_.end()) continue;
    auto const own = claims->second.find(uid);
    if (own != claims->second.end() && own->second.mode == port.mode) continue;
    for (auto const& [other, claim] : claims->second) {
      bool const is_ingress = claim.mode == model::PortMode::Ingress;
      if (claim.service == service || (!is_ingress && port.mode == model::PortMode::Host)) continue;
      return fail(Code::Invalid,
                  fmt::format("port {}/{} is service '{}''s {}: take another one, or change that service", *port.published,
                              model::to_string(port.protocol), claim.service,
                              is_ingress ? "ingress port, on every node" : "on the nodes that run it"),
                  fmt::format("#/ports/{}/published", i));
    }
  }
  return {};
}

std::string const* PortClaims::older_claimant(ServiceUid uid, model::PortSpec const& port) const {
  auto const claims = claims_.find({port.protocol, *port.published});
  if (claims == claims_.end()) return nullptr;
  for (auto const& [other, claim] : claims->second) {
    if (!(other < uid)) return nullptr;
    if (claim.mode == model::PortMode::Ingress) return &claim.service;
  }
  return nullptr;
}

}  // namespace davit::master
