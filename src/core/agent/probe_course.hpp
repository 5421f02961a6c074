// The probing of one container by the agent: when the next try is due, and what the tries make of its health. Pure.
//
// Until the first success a try follows each `start_interval`, so that an instance is ready soon after it can be; it is unhealthy if none
// succeeds within start_period + retries × interval. After that a try follows each `interval`, and `retries` failures in a row make it
// unhealthy. Where Docker's own test has the same terms, it comes to the same end.
#pragma once

#include <cstdint>

#include "base/time.hpp"
#include "model/instance.hpp"
#include "model/spec.hpp"

namespace davit::agent {

class ProbeCourse {
 public:
  // `was_found`: it ran before anybody here probed it.
  ProbeCourse(model::Healthcheck const& check, Monotonic started, bool was_found, Monotonic now);

  Monotonic due() const { return due_; }  // kNever while a try is under way
  void on_sent() { due_ = kNever; }
  void on_outcome(bool is_ok, Monotonic now);
  // Not now: the container stands still.
  void put_off(Monotonic now) { due_ = now + interval_; }
  bool was_tried() const { return was_tried_; }
  model::Health health() const { return health_; }

 private:
  Duration interval_;
  Duration start_interval_;
  std::int64_t retries_;
  Monotonic ready_by_;
  Monotonic due_;
  std::int64_t failures_ = 0;  // in a row
  bool was_tried_ = false;
  model::Health health_ = model::Health::Starting;
};

}  // namespace davit::agent
