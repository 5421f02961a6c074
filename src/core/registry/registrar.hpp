// Keeps a node's entries in the registry's agent beside it (Consul's) as they should be: what is missing is registered, what stands is
// fed, what has changed is put right, what nobody wants any more goes. Owned by the agent's machine, or by a RegistryDriver; no I/O, clock
// or log call.
//
// Rules that hold throughout:
// - only entries that carry this registrar's mark are changed; and until AllKnown none goes but those that it was told to drop;
// - what is to leave leaves at once; what is to come, or to come again, comes at a bounded rate;
// - one whose answers are late is asked less at once, down to one call after the other: others ask it too;
// - a registry that is away is asked again after growing pauses, and told of once; nothing waits for it.
//
//   Away ─listed─→ Up ─a call fails, or gets no answer while no other one gets one─→ Away
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "model/registry.hpp"

namespace davit::registry {

using OpId = std::uint64_t;

inline constexpr Duration kFeedInterval = std::chrono::seconds(5);  // of ten: one feed may fail
inline constexpr Duration kListInterval = std::chrono::seconds(15);
inline constexpr Duration kRegisterInterval = std::chrono::milliseconds(20);  // beyond the first twenty
inline constexpr std::size_t kRegisterBurst = 20;
inline constexpr std::size_t kMostCalls = 8;  // under way

// ---- events
// All that is to be there of the holder, in place of what was wanted before; none: nothing.
struct Wanted {
  std::string holder;
  std::vector<model::RegistryEntry> entries;
};
// The holder serves, and what its entries should be is not known yet: those that are there stay, and are fed.
struct Kept {
  std::string holder;
};
// Every holder that there is has been told of: what is of no one goes.
struct AllKnown {};
struct CallDone {
  OpId op = 0;
  Result<model::RegistryReply> outcome;
};
struct Tick {};
using Event = std::variant<Wanted, Kept, AllKnown, CallDone, Tick>;

// ---- actions
struct Call {
  OpId op = 0;
  model::RegistryCall what;
  Monotonic deadline{};
};
struct Noted {
  bool is_warning = false;
  std::string text;
};
using Action = std::variant<Call, Noted>;
using Actions = std::vector<Action>;

class Registrar {
 public:
  using Event = registry::Event;

  explicit Registrar(model::RegistryMark mark) : mark_(std::move(mark)) {}

  void step(Now now, Event const& event, Actions& actions);
  Monotonic wake_at() const;
  std::vector<std::string> pending() const;
  std::size_t size() const { return items_.size(); }  // entries that it knows or wants
  // Nothing of it is there any more; or nobody can tell, because the registry is away.
  bool is_gone(std::string const& holder) const;

 private:
  enum class Need : std::uint8_t { Nothing, Removal, Registration, Feed };
  enum class Seen : std::uint8_t { Unknown, Absent, There };
  struct Item {
    std::string holder;
    std::optional<model::RegistryEntry> wanted;
    Seen seen = Seen::Unknown;
    model::RegistryEntry standing;  // what is there
    bool is_dropped = false;  // by a holder that wants nothing of it
    OpId op = 0;
    Monotonic asked_at{};
    Need doing = Need::Nothing;
    model::RegistryEntry sent;  // to be registered
    bool changed_since_list = false;  // a list that is under way may show it as it was
    Monotonic feed_at{};
    Monotonic retry_at{};  // after a refusal
    std::uint32_t refusals = 0;
    Monotonic due = kNever;  // its place in due_
  };
  using Items = std::map<std::string, Item>;  // by the entry's id

  void on(Wanted const& event);
  void on(Kept const& event);
  void on(AllKnown const&);
  void on(CallDone const& event);
  void on(Tick const&) {}
  void on_listed(Result<model::RegistryReply> const& outcome);
  void take_in(model::RegistryEntries const& list);
  void on_item_done(Items::iterator at, Result<model::RegistryReply> const& outcome);
  void on_refused(Item& item, Error const& error);
  void on_failed(Item& item, Need done, Error const& error);
  void on_late(Item& item, Error const& error);
  void on_away(Error const& error);
  void on_good();
  void on_lost(std::size_t count);

  Need need_of(Item const& item) const;
  void schedule(Items::iterator at);
  void schedule_holder(std::string const& holder);
  void schedule_all();
  void forget(Items::iterator at);
  void send_due();
  void send(Items::iterator at, Need need);
  OpId call(model::RegistryCall what, Duration limit);
  Items::iterator item_of(std::string const& id, std::string const& holder);
  bool carries_mark(model::RegistryEntry const& entry) const;
  Monotonic may_register_at() const { return registered_until_ - kRegisterBurst * kRegisterInterval; }
  void note(bool is_warning, std::string text);

  model::RegistryMark mark_;
  Items items_;
  std::map<std::string, std::set<std::string>> by_holder_;  // ids of items
  std::set<std::string> kept_;  // holders
  std::map<OpId, std::string> calls_;  // ids of items
  std::set<std::string> removals_;  // ids of items: at once
  std::set<std::string> registrations_;  // … as soon as the rate allows
  std::set<std::pair<Monotonic, std::string>> due_;  // … later: feeds, and what was refused
  bool all_known_ = false;
  bool is_up_ = false;
  OpId list_op_ = 0;
  Monotonic list_at_{};
  std::uint32_t failures_ = 0;  // in a row
  std::size_t calls_at_once_ = kMostCalls;
  std::size_t answers_in_time_ = 0;  // since that was changed
  Monotonic answered_at_{};
  Monotonic registered_until_{};  // of the rate: what was sent is paid for until then
  std::string why_away_;
  bool is_said_away_ = false;  // and not yet that it is back
  std::optional<Monotonic> said_away_at_;
  std::optional<Monotonic> said_refused_at_;
  std::optional<Monotonic> said_lost_at_;
  OpId next_op_ = 1;

  // Of the step in progress.
  Now now_{};
  Actions* out_ = nullptr;
};

}  // namespace davit::registry
