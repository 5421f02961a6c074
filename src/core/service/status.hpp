// The state of a service in a few words and numbers, derived from its head and its instances (api.md, GET /services).
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "core/service/instances.hpp"
#include "model/enum_names.hpp"
#include "model/journal.hpp"

namespace davit::service {

enum class State : std::uint8_t { Converging, Running, Degraded, Updating, Paused, RollingBack, Removing };

struct ServiceStatus {
  State state = State::Converging;
  std::int64_t desired = 0;
  std::int64_t running = 0;
  std::int64_t ready = 0;
  std::int64_t updated = 0;  // running at the current revision
  std::string message;
  friend bool operator==(ServiceStatus const&, ServiceStatus const&) = default;
};

// `unreachable`: nodes of which nobody hears: what is on them is not ready for anybody.
ServiceStatus status_of(model::Head const& head, InstanceRefs const& instances, std::set<NodeIx> const& unreachable = {});

}  // namespace davit::service

namespace davit::model {
DAVIT_ENUM_NAMES(service::State, {service::State::Converging, "converging"}, {service::State::Running, "running"},
                 {service::State::Degraded, "degraded"}, {service::State::Updating, "updating"}, {service::State::Paused, "paused"},
                 {service::State::RollingBack, "rolling_back"}, {service::State::Removing, "removing"});
}  // namespace davit::model
