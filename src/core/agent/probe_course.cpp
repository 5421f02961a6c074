#include "core/agent/probe_course.hpp"

#include <algorithm>

namespace davit::agent {

using model::Health;

// One that was found, and has run for longer than it may take to become healthy, is so until the contrary is seen: an agent that starts
// anew must not take what serves for what is starting.
ProbeCourse::ProbeCourse(model::Healthcheck const& check, Monotonic started, bool was_found, Monotonic now)
    : interval_(check.interval),
      start_interval_(std::min(check.start_interval, check.interval)),
      retries_(check.retries),
      ready_by_(started + check.start_period + check.retries * check.interval),
      due_(now),
      health_(was_found && now >= ready_by_ ? Health::Healthy : Health::Starting) {}

void ProbeCourse::on_outcome(bool is_ok, Monotonic now) {
  was_tried_ = true;
  if (is_ok) {
    failures_ = 0;
    health_ = Health::Healthy;
  } else {
    ++failures_;
    bool const is_over = health_ == Health::Starting ? now >= ready_by_ : failures_ >= retries_;
    if (is_over) health_ = Health::Unhealthy;
  }
  due_ = now + (health_ == Health::Starting ? start_interval_ : interval_);
}

}  // namespace davit::agent
