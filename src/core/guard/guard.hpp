// The guard's machine: it ends containers whose lease has run out, whatever has become of the agent and of the engine.
// Owned by the guard's process for its life; one thread; no I/O, clock or log call.
//
// What it knows is the file that the agent keeps: containers, each with the end of its lease. It asks nobody and trusts nothing else.
// Of another boot's containers nothing can run any more: their lines are passed over.
//
//   Covered ─end has come─→ Signalled ─2 s─→ Empty        any ─a later end is written─→ Covered
//   Empty: its processes are killed whenever there are any, also those that somebody starts afterwards
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/time.hpp"
#include "model/lease.hpp"

namespace davit::guard {

inline constexpr Duration kKillAfter = 2s;
inline constexpr Duration kLookEvery = 500ms;

// ---- events
// The file's whole content, whenever it has changed. A file that cannot be read is no event: what was last read counts.
struct LeasesRead {
  std::vector<model::ContainerLease> all;
};
// Those of the containers that Look asked about that have processes.
struct Looked {
  std::set<std::string> alive;
};
struct Tick {};
using Event = std::variant<LeasesRead, Looked, Tick>;

// ---- actions
// To the container's first process: it may still end in good order.
struct Signal {
  std::string container;
  friend bool operator==(Signal const&, Signal const&) = default;
};
// To all of the container's processes.
struct Kill {
  std::string container;
  friend bool operator==(Kill const&, Kill const&) = default;
};
// Completed by Looked.
struct Look {
  std::vector<std::string> containers;
  friend bool operator==(Look const&, Look const&) = default;
};
using Action = std::variant<Signal, Kill, Look>;
using Actions = std::vector<Action>;

class Guard {
 public:
  explicit Guard(std::string boot) : boot_(std::move(boot)) {}

  void step(Monotonic now, Event const& event, Actions& actions);
  Monotonic wake_at() const;

 private:
  enum class Phase : std::uint8_t { Covered, Signalled, Empty };
  struct Watched {
    Monotonic end{};
    Phase phase = Phase::Covered;
    Monotonic kill_at = kNever;
  };

  void on(LeasesRead const& event);
  void on(Looked const& event);
  void on(Tick const&) {}
  void advance(std::string const& container, Watched& watched);
  void look();

  std::string boot_;
  std::map<std::string, Watched> watched_;  // by container
  Monotonic next_look_ = kNever;            // while there is one that must stay empty

  // Of the step in progress.
  Monotonic now_{};
  Actions* out_ = nullptr;
};

}  // namespace davit::guard
