// The journal of one service: its events, and the head, which is the state after the last of them.
// apply() is pure and total: head n = apply(head n-1, event n), at every append and for ever after.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/instance.hpp"
#include "model/spec.hpp"

namespace davit::model {

inline constexpr std::size_t kRevisionsKept = 10;
inline constexpr std::size_t kRequestsKept = 256;
inline constexpr Duration kRequestsKeptFor = 10min;
inline constexpr std::uint64_t kEventsKept = 64;

struct ServiceCreated {
  SpecRef spec;
};
// `replaces`: the container template changed, so that a new revision begins.
struct SpecChanged {
  SpecRef spec;
  bool replaces = false;
};
// The same template once more, as a new revision.
struct ServiceRestarted {};
// Back to a kept revision's template; `instances` stays. `is_automatic`: because the update failed; the message says how.
struct RolledBack {
  std::uint32_t to_revision = 0;
  SpecRef spec;
  bool is_automatic = false;
  Reason reason = Reason::None;
  std::string message;
};
// `is_partial`: some new instances failed, and the failures were to be borne; the message tells of one.
struct RolloutCompleted {
  bool is_partial = false;
  Reason reason = Reason::None;
  std::string message;
};
// The rollout goes no further: new instances failed.
struct RolloutStopped {
  Reason reason = Reason::None;
  std::string message;
};
struct ImageResolved {
  std::uint32_t revision = 0;
  std::string digest;
};
struct RemovalRequested {};
// By a user, who may resume it; so may he after RolloutStopped.
struct RolloutPaused {};
struct RolloutResumed {};

using EventBody = std::variant<ServiceCreated, SpecChanged, ServiceRestarted, RolledBack, RolloutCompleted, RolloutStopped, ImageResolved,
                               RemovalRequested, RolloutPaused, RolloutResumed>;
std::string_view event_type(EventBody const& body);  // "created", "spec_changed", …: durable names

struct JournalEvent {
  std::uint64_t number = 0;  // 1 for the first
  Wall time{};
  std::string author;          // who asked: "api", "rollout", …
  std::string request_id;      // of the command that led to it; empty for the owner's own decisions
  std::uint64_t fingerprint = 0;  // of that command: the same id with another command is refused
  std::string tag;             // of the writer: session and counter, to tell one's own write after an unknown outcome
  EventBody body;
};

// Any update, restart or rollback leads to Active, from wherever it was.
//
//   Active ⇄ Paused                          by a user
//   Active → None                            completed
//   Active → RolledBack                      an automatic rollback completed: `message` still says why it was needed
//   Active → Incomplete                      completed with failures that were to be borne
//   Active → Stopped → Active                failed; resumed by a user
enum class RolloutState : std::uint8_t { None, Active, Stopped, Paused, Incomplete, RolledBack };
DAVIT_ENUM_NAMES(RolloutState, {RolloutState::None, "none"}, {RolloutState::Active, "active"}, {RolloutState::Stopped, "stopped"},
                 {RolloutState::Paused, "paused"}, {RolloutState::Incomplete, "incomplete"}, {RolloutState::RolledBack, "rolled_back"});

struct Rollout {
  RolloutState state = RolloutState::None;
  std::uint32_t from = 0;  // the revision that instances are led away from
  std::uint32_t to = 0;
  bool is_rollback = false;
  bool is_automatic = false;  // a rollback that followed from a failed update
  Reason reason = Reason::None;
  std::string message;
  Wall since{};  // when it began, or was resumed or stopped

  bool is_under_way() const { return state == RolloutState::Active || state == RolloutState::Paused; }
  friend bool operator==(Rollout const&, Rollout const&) = default;
};

struct RevisionRecord {
  SpecRef spec;
  std::string digest;
  Wall created_at{};
};

struct RequestMemo {
  std::string id;
  std::uint64_t fingerprint = 0;
  std::uint64_t generation = 0;  // what its answer said
  Wall at{};
  friend bool operator==(RequestMemo const&, RequestMemo const&) = default;
};

struct Head {
  std::string name;
  ServiceUid uid;  // revision 0 in event 1's own record: the store revision of that write
  std::uint64_t events = 0;
  std::string tag;  // of the last event
  std::uint64_t generation = 0;
  std::uint32_t revision = 0;
  std::uint32_t last_revision = 0;  // the highest ever used
  std::uint32_t revision_before = 0;  // that was in place as a whole before the newest one was; 0: none
  bool removing = false;
  std::map<std::uint32_t, RevisionRecord> revisions;  // those kept, with the current one
  Rollout rollout;
  Wall created_at{};
  Wall updated_at{};
  std::vector<RequestMemo> requests;  // oldest first

  SpecRef const& spec() const { return revisions.at(revision).spec; }
  std::string const& digest() const { return revisions.at(revision).digest; }
};

// The last revision that was in place as a whole: a way that was not gone to its end is no place to go back to.
std::uint32_t revision_in_place(Head const& head);

// `before` is a Head with events == 0 for the first event.
Head apply(Head before, JournalEvent const& event);

}  // namespace davit::model
