#include "core/placement/request.hpp"

#include <algorithm>

namespace davit::placement {

Request request_of(model::ServiceSpec const& spec, Amount const& mean) {
  Request request;
  auto const& placement = spec.placement;
  auto& [eligibility, strategy, reserved] = request.kind;
  for (auto const& text : placement.constraints) {
    if (auto constraint = model::parse_constraint(text)) eligibility.constraints.push_back(*std::move(constraint));
  }
  std::ranges::sort(eligibility.constraints);
  auto const repeated = std::ranges::unique(eligibility.constraints);
  eligibility.constraints.erase(repeated.begin(), repeated.end());
  eligibility.spread_by = model::spread_label(placement);
  strategy = placement.strategy;
  reserved = model::amount_of(spec.resources.reservations);
  request.expected = {reserved.microcores > 0 ? reserved.microcores : mean.microcores, reserved.memory > 0 ? reserved.memory : mean.memory};
  for (auto const& port : spec.ports) {
    if (model::is_fixed_on_node(port)) request.ports.push_back({port.protocol, static_cast<std::uint16_t>(*port.published), port.host_ip});
  }
  std::ranges::sort(request.ports);
  request.max_per_node = static_cast<std::uint32_t>(placement.max_replicas_per_node);
  request.keeps_node = model::has_node_volume(spec);
  return request;
}

}  // namespace davit::placement
