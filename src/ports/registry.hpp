// A registry of services, as clients beside Davit use one. Implementation: adapters/registry_consul; see ports/engine.hpp for the rules.
#pragma once

#include "base/time.hpp"
#include "model/registry.hpp"
#include "ports/done.hpp"

namespace davit::ports {

// Code::Invalid: the registry refuses this one request, as to whom may not write it. Code::NotFound: there is no such entry. All other
// errors say that the registry is of no use at the moment. Messages tell people what is wrong and what to do about it.
class Registry {
 public:
  virtual ~Registry() = default;
  virtual void call(model::RegistryCall call, Monotonic deadline, Done<model::RegistryReply> done) = 0;
};

}  // namespace davit::ports
