// Tells whether an instance answers: one try of a probe over the network, by the agent of its node.
#pragma once

#include "base/time.hpp"
#include "model/probe.hpp"
#include "ports/done.hpp"

namespace davit::ports {

// `done` runs exactly once, on the control thread, never inside the call, by the deadline at the latest. An error's message tells people
// why the instance did not pass: "GET / answers 503".
class Prober {
 public:
  virtual ~Prober() = default;
  virtual void probe(model::ProbeTarget target, Monotonic deadline, Done<void> done) = 0;
};

}  // namespace davit::ports
