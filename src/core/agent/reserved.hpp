// What the node's instances have reserved, in sums that are kept rather than counted anew: admission costs the same however many
// instances there are. Ports are the PortPool's. Part of the Agent.
#pragma once

#include <cstdint>
#include <map>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "model/amount.hpp"
#include "model/engine.hpp"
#include "model/instance.hpp"

namespace davit::agent {

class Reserved {
 public:
  // Whether one more fits; else why not (Error::field is the reason's name).
  Status check(ServiceUid service, model::ServiceSpec const& spec, model::EngineInfo const& engine) const;

  void take(model::Amount const& amount) { sum_ += amount; }
  void give_back(model::Amount const& amount) { sum_ -= amount; }
  // Instances of a service count until they are asked to stop; what they have reserved, until they are gone.
  void join(ServiceUid service) { ++of_service_[service]; }
  void leave(ServiceUid service);

  model::Amount const& sum() const { return sum_; }
  std::int64_t of_service(ServiceUid service) const;

 private:
  model::Amount sum_;
  std::map<ServiceUid, std::int64_t> of_service_;  // none is zero
};

}  // namespace davit::agent
