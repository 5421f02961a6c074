// One instance inside the agent: its order, its container, and the phase that says what it waits for.
// Owned by the Agent; plain data. The phase is finer than the state that users see; state_of() maps one to the other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "core/agent/ownership.hpp"
#include "core/agent/probe_course.hpp"
#include "model/amount.hpp"
#include "model/instance.hpp"
#include "model/link.hpp"

namespace davit::agent {

using OpId = std::uint64_t;  // one call to the engine; 0 is none

// Every phase waits for exactly one thing, and each of these has an end: an engine call has a deadline, a wait has `wake_at`,
// a turn comes when others end. Only Adopted waits for somebody else: the owner, who is fencing us.
//
//   Inspecting ─found─→ Adopted ─confirmed─→ Running | Start | (as ended)
//   CheckImage ─missing─→ Pull ─→ CheckImage ─→ Turn ─→ Create ─→ (Lease ─→) Start ─→ Running ─ended─→ BackOff ─→ CheckImage
//                                                                              └──────── ended, no restart wanted ──→ Finished
//   any ─stop wanted─→ Drain ─→ Stop ─→ Remove ─→ gone           Running ─unhealthy, paused─→ StopToRestart ─→ as ended
enum class Phase : std::uint8_t {
  Inspecting,     // adopting: the container's details
  Adopted,        // the owner's word whether it goes on
  CheckImage,     // the engine's answer whether the node has the image
  Pull,           // the image
  Turn,           // fewer others starting
  Create,         // the engine
  Lease,          // of one that must not be doubled: its lease, and the guard's knowledge of it
  Start,          // the engine
  Running,        // the container's end; inspections come and go
  StopToRestart,  // the end of a container that is unwell
  BackOff,        // the time of the next attempt, or a lease
  Finished,       // the owner: its policy wants no restart
  Drain,          // clients that still use it
  Stop,           // the container's end
  Remove,         // the container's removal
};

struct Instance {
  Identity identity;
  model::SpecRef spec;  // null until the owner has confirmed an adopted instance
  std::string digest;   // that the owner wants; empty: what the tag means here
  Phase phase = Phase::CheckImage;
  OpId op = 0;                  // the call in flight
  bool touched = false;         // the engine hinted at a change during that call
  bool stop_wanted = false;
  model::Reason stop_reason = model::Reason::None;
  Monotonic wake_at = kNever;

  model::Health health = model::Health::None;
  std::string health_message;       // why the last test or probe failed
  std::optional<LabelledProbe> labelled_probe;  // of an adopted one, until its spec is known
  std::optional<ProbeCourse> probe;  // while it runs, of one that the agent probes
  OpId probe_op = 0;                // the try under way
  bool was_found = false;           // its container ran before this process began to look after it
  bool paused = false;
  Monotonic paused_until = kNever;  // then it is restarted, if it still is
  Monotonic drain_until{};          // of an instance that is to stop: its clients may stay until then
  std::optional<bool> has_image_test;  // unknown of one that was adopted before it was started
  bool was_pulled = false;      // for this attempt: a second "no such image" is the end of it
  model::Reason reason = model::Reason::None;
  std::string message;
  std::uint32_t restarts = 0;
  std::uint32_t failures = 0;
  bool yields_ports = false;  // made late, when another instance had been given its fixed port: it waits until that is free
  std::uint32_t port_tries = 0;
  std::uint32_t removal_tries = 0;
  std::optional<std::int64_t> exit_code;

  model::ContainerRef container;             // of the newest attempt
  model::ContainerState container_state = model::ContainerState::Created;
  std::string previous_container;            // of the attempt before, kept for its logs
  model::Amount reserved;                    // counted in the node's sum while the instance is here
  std::vector<model::PublishedPort> ports;   // taken from the pool while the instance is here
  std::string running_digest;
  std::uint64_t incarnation = 0;  // of the node, under which its slot was assigned: which leases count for it
  Duration stop_after{};          // the length of its lease
  Monotonic lease_end{};
  Monotonic lapsed_at = kNever;   // when its lease had ended that was extended again since; until it is seen to run
  bool ended_in_lapse = false;    // its container: by the guard, then
  Monotonic created_at{};
  Monotonic state_since{};
  std::optional<Monotonic> started_at;
  std::optional<Monotonic> ready_since;  // while it is ready
  Duration well_for{};                   // the longest that this run of its container was ready before
  Duration served_for{};                 // the same of all its runs

  std::optional<model::InstanceUse> use;       // of the container that runs, once it was measured
  std::optional<model::InstanceUse> told_use;  // as masters know it
  Duration cpu_time{};                         // when it was measured
  Monotonic measured_at{};
};

model::InstanceState state_of(Instance const& instance);
inline bool is_leased(Instance const& instance) { return instance.identity.token != 0; }
// How the agent probes it, in place of a test by the engine; null: it does not.
model::Healthcheck const* probe_check_of(Instance const& instance);
bool is_ready(Instance const& instance);
// It has a process, or its engine starts it again.
constexpr bool has_process(model::ContainerState state) {
  using enum model::ContainerState;
  return state == Running || state == Paused || state == Restarting;
}
// For clients that still use it. Of one that was adopted and that nobody has confirmed yet the usual one.
Duration drain_delay_of(Instance const& instance);
model::InstanceReport report_of(Instance const& instance, Now now);

}  // namespace davit::agent
