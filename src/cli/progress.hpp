// Whether a service has become what was asked for, judged from the server's answers: what `create`, `update`, … show while
// they wait, and when they stop waiting. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "codec/value.hpp"

namespace davit::cli {

// From the answer to the write that is watched.
struct Goal {
  std::string service;
  std::int64_t generation = 0;
  std::int64_t revision = 0;
  bool is_rollback = false;
};
Goal goal_of(codec::Value const& answer, bool is_rollback = false);

// One line: "web.2  n2  pulling  38/71 MB".
struct SlotLine {
  std::string label;
  std::string node;
  std::string state;
  std::string detail;
  std::string clock;  // how long already, or how long still: changes by itself, so it is no news
  bool is_ready = false;
  friend bool operator==(SlotLine const&, SlotLine const&) = default;
};

enum class Verdict : std::uint8_t { Going, Converged, Failed };

struct Look {
  Verdict verdict = Verdict::Going;
  std::vector<SlotLine> slots;
  std::string count;    // "2/3 ready"
  std::string message;  // why not, or why not yet
  std::int64_t generation = 0;
  std::vector<std::string> ready_containers;
  Duration settle_time{};  // how long it has to stay converged
};

// `service` is what GET /services/NAME answers.
Look look_at(Goal const& goal, codec::Value const& service, Wall now);

// A container without a health test is ready the moment it runs, also one that ends the moment after. So a service counts as
// converged once the same containers have been ready for its settle time. Lives as long as the watching.
class Settling {
 public:
  // The look's verdict; Going while it has yet to prove that it lasts.
  Verdict judge(Look const& look, Monotonic now);
  bool is_under_way() const { return since_ != kNever; }
  Monotonic since() const { return since_; }  // when it became ready
  Monotonic ends_at() const { return since_ + settle_time_; }

 private:
  Monotonic since_ = kNever;
  Duration settle_time_{};
  std::vector<std::string> containers_;
};

// "http://10.0.0.11:20000" where HTTP is to be expected, else "10.0.0.11:5432"; the first published port, or "".
std::string url_of(codec::Value const& instance);
// The same of its ingress ports, on a node that runs it; the same port of every other worker leads there as well.
std::vector<std::string> ingress_urls_of(codec::Value const& service);
// "running healthy", "backing off 8s", "pulling".
std::string state_text(codec::Value const& instance, Wall now);
// The time since the RFC 3339 text, never below zero; zero where there is none.
Duration age_of(std::string_view time, Wall now);

}  // namespace davit::cli
