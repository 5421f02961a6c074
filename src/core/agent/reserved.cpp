#include "core/agent/reserved.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "base/check.hpp"
#include "base/planted.hpp"

namespace davit::agent {

using model::Reason;

namespace {

std::unexpected<Error> refuse(Reason reason, std::string text) {
  return fail(Code::Exhausted, std::move(text), std::string(model::to_string(reason)));
}

}  // namespace

Status Reserved::check(ServiceUid service, model::ServiceSpec const& spec, model::EngineInfo const& engine) const {
  auto const wanted = model::amount_of(spec.resources.reservations);
  auto const taken = planted(Bug::IgnoresReservations) ? model::Amount{} : sum_;
  auto const free = model::amount_of(engine.cpus, engine.memory) - taken;
  if (wanted.microcores > 0 && wanted.microcores > free.microcores) {
    return refuse(Reason::NotEnoughCpu, fmt::format("wants {:.4g} cores, {:.4g} unreserved", model::cores(wanted.microcores),
                                                    std::max(0.0, model::cores(free.microcores))));
  }
  if (wanted.memory > 0 && wanted.memory > free.memory) {
    return refuse(Reason::NotEnoughMemory, fmt::format("wants {}, {} unreserved", format_bytes({wanted.memory}),
                                                       format_bytes({std::max<std::int64_t>(0, free.memory)})));
  }
  auto const most = spec.placement.max_replicas_per_node;
  if (most > 0 && of_service(service) >= most && !planted(Bug::IgnoresMaxPerNode)) {
    return refuse(Reason::MaxPerNode, fmt::format("runs {} of at most {}", of_service(service), most));
  }
  return {};
}

void Reserved::leave(ServiceUid service) {
  auto const found = of_service_.find(service);
  CHECK(found != of_service_.end(), "no instance of service {}", to_string(service));
  if (--found->second == 0) of_service_.erase(found);
}

std::int64_t Reserved::of_service(ServiceUid service) const {
  auto const found = of_service_.find(service);
  return found == of_service_.end() ? 0 : found->second;
}

}  // namespace davit::agent
