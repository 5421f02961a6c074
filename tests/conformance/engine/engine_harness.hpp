// What the engine suite needs of an implementation of ports::Engine: the port, a loop to run, and a few things that exist
// on the engine's side. One per test.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "base/time.hpp"
#include "ports/engine.hpp"

namespace davit::conformance {

class EngineHarness {
 public:
  virtual ~EngineHarness() = default;

  virtual ports::Engine& engine() = 0;
  virtual Now now() = 0;
  // Runs the control thread until the condition holds (true) or the limit has passed (false).
  virtual bool run_until(std::function<bool()> condition, Duration limit) = 0;
  // Stops the port and runs the control thread until it has ended.
  virtual void stop_port() = 0;

  virtual std::string image() const = 0;            // has a shell and the usual tools
  virtual std::string checked_image() const = 0;    // the same with a HEALTHCHECK
  virtual std::string publishing_network() const = 0;  // a network_mode in which ports are published

  virtual bool can_kill_engine() const = 0;
  virtual void kill_engine() = 0;   // at once, as a crash would
  virtual void start_engine() = 0;  // again
  virtual void freeze_engine(bool frozen) = 0;
};

struct EngineImplementation {
  char const* name;
  // nullptr with the reason where this machine cannot run it.
  std::unique_ptr<EngineHarness> (*make)(std::string& why_not);
};
inline void PrintTo(EngineImplementation const& implementation, std::ostream* out) { *out << implementation.name; }

}  // namespace davit::conformance
