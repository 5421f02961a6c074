// The last transitions of services, instances and nodes, for those who follow them: the event stream and `?wait=`.
// Made by api::Api, lives as long as it; control thread.
//
// There is no queue per follower: each keeps the number of the event that it has seen last and reads on from there when it
// is told that there is more. One that falls behind by more than the capacity has to list again (find() is empty).
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/master/state.hpp"

namespace davit::api {

struct LoggedEvent {
  std::string type;
  std::string service;
  std::string node;
  std::string frame;  // as it goes over the wire: id, event and data lines, and the blank line
};

class EventLog {
 public:
  using Number = std::uint64_t;  // of an event since the start; 0: before the first
  static constexpr std::size_t kCapacity = 10'000;

  // `boot` tells this life of the process from others: ids of another one cannot be resumed from.
  EventLog(std::string_view node, std::uint64_t boot, std::size_t capacity = kCapacity);
  EventLog(EventLog const&) = delete;
  EventLog& operator=(EventLog const&) = delete;

  void append(master::Transition const& transition);

  Number newest() const { return last_; }
  std::string newest_id() const { return id_of(last_); }
  std::string id_of(Number number) const;                          // "n1.7f3a.1842": opaque to clients
  std::optional<Number> resume_after(std::string_view id) const;   // empty: of another life, or events after it are lost
  LoggedEvent const* find(Number number) const;                    // null: not there yet, or dropped
  bool has_all_after(Number number) const { return number + events_.size() >= last_; }

  // Runs after each append until the subscription is destroyed; it only wakes: it neither subscribes nor unsubscribes.
  class Subscription;
  [[nodiscard]] Subscription subscribe(std::function<void()> on_append);

 private:
  using Listeners = std::list<std::function<void()>>;

  std::string id_prefix_;  // "n1.7f3a."
  std::size_t capacity_;
  std::deque<LoggedEvent> events_;  // the last one has the number last_
  Number last_ = 0;
  Listeners listeners_;
};

class EventLog::Subscription {
 public:
  Subscription(Subscription const&) = delete;
  Subscription& operator=(Subscription const&) = delete;
  ~Subscription() { listeners_.erase(place_); }

 private:
  friend EventLog;
  Subscription(Listeners& listeners, Listeners::iterator place) : listeners_(listeners), place_(place) {}
  Listeners& listeners_;
  Listeners::iterator place_;
};

}  // namespace davit::api
