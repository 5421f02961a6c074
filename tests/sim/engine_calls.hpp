// The calls on their way to one engine and back: each arrives after a while, takes effect (also when its caller is gone or has
// given up by then), and is answered after another while; at its deadline at the latest its caller is told what it may believe.
// Owned by FakeDocker, which performs them. `done` runs exactly once, unless its caller is dropped.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "model/engine.hpp"
#include "ports/done.hpp"
#include "ports/loop.hpp"

namespace davit::sim {

class EngineCalls {
 public:
  using Reply = Result<model::EngineReply>;
  struct Flight {
    std::uint64_t number = 0;
    std::uint64_t caller = 0;
    model::EngineCall call;
  };
  // What becomes of one call.
  struct Course {
    Duration there{};
    Duration back{};
    bool is_performed = true;
    bool is_answered = true;
    std::optional<Error> told;  // in place of the engine's reply
  };
  // Performs a call that has arrived; answer() comes now or later, or never.
  using Perform = std::function<void(Flight const& flight)>;

  EngineCalls(ports::Loop& loop, Perform perform) : loop_(loop), perform_(std::move(perform)) {}

  void begin(Flight flight, Course course, Monotonic deadline, ports::Done<model::EngineReply> done);
  void answer(std::uint64_t number, Reply reply);
  bool is_under_way(std::uint64_t number) const { return under_way_.contains(number); }

  void set_frozen(bool frozen);  // while frozen nothing arrives and nothing is answered
  void break_all();              // the engine is gone, with every connection and what was on its way
  void drop(std::uint64_t caller);

 private:
  struct Entry {
    Flight flight;
    Course course;
    ports::Done<model::EngineReply> done;  // empty: nobody waits any more
    std::optional<Reply> reply;
    std::unique_ptr<ports::Timer> progress;
    std::unique_ptr<ports::Timer> deadline;
  };

  void proceed_after(Duration wait, Entry& entry);
  void proceed(std::uint64_t number);
  void finish(std::uint64_t number, Reply reply);
  void give_up(std::uint64_t number);

  ports::Loop& loop_;
  Perform perform_;
  std::map<std::uint64_t, Entry> under_way_;
  bool is_frozen_ = false;
  std::vector<std::uint64_t> waiting_;  // for the engine to thaw, in their order
};

// What a caller may believe when no answer came in time, and when the connection broke before one.
Error too_late(model::EngineCall const& call);
Error connection_lost(model::EngineCall const& call);

}  // namespace davit::sim
