// Who watches one engine, and what each has been told: events, and whether the engine is there. Owned by FakeDocker. Hints
// are delivered by posts, in their order.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/engine.hpp"
#include "ports/loop.hpp"

namespace davit::sim {

class EngineWatchers {
 public:
  explicit EngineWatchers(ports::Loop& loop) : loop_(loop) {}

  void add(std::uint64_t caller, std::function<void(model::EngineHint)> on_hint);
  void drop(std::uint64_t caller) { all_.erase(caller); }

  // To all, or to one.
  void tell(model::EngineHint const& event);
  void tell(std::uint64_t caller, model::EngineHint const& event);

  void set_down(std::string why);
  void set_up();
  // Events wait for its end; a watcher that waits too long takes the engine for gone.
  void set_frozen(bool frozen);

 private:
  enum class Told : std::uint8_t { Nothing, Up, Down };
  struct Watcher {
    std::function<void(model::EngineHint)> on_hint;
    Told told = Told::Nothing;
    std::vector<model::EngineHint> held_back;
  };

  void deliver(std::uint64_t caller, model::EngineHint hint);
  void introduce(std::uint64_t caller, Watcher& watcher);
  void tell_down(std::uint64_t caller, Watcher& watcher);

  ports::Loop& loop_;
  std::map<std::uint64_t, Watcher> all_;
  std::string why_down_;  // empty: it is up, as far as watchers can see
  bool is_frozen_ = false;
  std::unique_ptr<ports::Timer> patience_ = loop_.make_timer();
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace davit::sim
