// The fixture of the engine suite: the calls, made to wait, and containers that end with their test.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "conformance/engine/engine_harness.hpp"
#include "model/engine.hpp"

namespace davit::conformance {

class EngineSuite : public testing::TestWithParam<EngineImplementation> {
 protected:
  void SetUp() override;
  void TearDown() override;

  ports::Engine& engine() { return harness_->engine(); }
  bool wait(std::function<bool()> condition, Duration limit = 20s) { return harness_->run_until(std::move(condition), limit); }

  Result<model::EngineReply> call(model::EngineCall what, Duration limit = 30s);
  // The reply, of the type that the call has.
  template <class T>
  Result<T> ask(model::EngineCall what, Duration limit = 30s) {
    auto reply = call(std::move(what), limit);
    if (!reply) return std::unexpected(reply.error());
    return std::get<T>(std::move(*reply));
  }
  Status order(model::EngineCall what, Duration limit = 30s);

  // A container of this test; nothing is started.
  model::CreateContainer container(std::string const& name, std::vector<std::string> command);
  std::string create(model::CreateContainer wanted);
  std::string start(std::string const& name, std::vector<std::string> command);
  model::ContainerDetail inspect(std::string const& id);
  bool wait_for(std::string const& id, std::function<bool(model::ContainerDetail const&)> condition);
  bool wait_for_state(std::string const& id, model::ContainerState state);
  // Changes a copy of the spec.
  template <class Change>
  static void edit(model::CreateContainer& wanted, Change change) {
    auto spec = *wanted.spec;
    change(spec);
    wanted.spec = std::make_shared<model::ServiceSpec const>(std::move(spec));
  }

  void watch();  // hints go to hints_
  template <class Hint>
  bool wait_for_hint(Duration limit = 20s) {
    return wait(
        [&] { return std::any_of(hints_.begin(), hints_.end(), [](auto const& hint) { return std::holds_alternative<Hint>(hint); }); },
        limit);
  }
  bool was_touched(std::string const& id) const;

  std::string prefix_;  // of names, unique on the engine
  std::unique_ptr<EngineHarness> harness_;
  std::vector<model::EngineHint> hints_;
};

// A reading of a log, with what has come of it.
struct Reading {
  std::vector<ports::LogLine> lines;
  std::optional<Status> end;
  std::unique_ptr<ports::LogReader> reader;

  std::vector<std::string> texts() const {
    std::vector<std::string> out;
    for (auto const& line : lines) out.push_back(line.text);
    return out;
  }
};

class EngineLogSuite : public EngineSuite {
 protected:
  std::unique_ptr<Reading> read(ports::LogQuery query) {
    auto reading = std::make_unique<Reading>();
    auto* const into = reading.get();
    reading->reader = engine().read_logs(
        std::move(query), [into](ports::LogLine line) { into->lines.push_back(std::move(line)); },
        [into](Status end) {
          EXPECT_FALSE(into->end) << "on_end was run twice";
          into->end = std::move(end);
        });
    return reading;
  }
  std::unique_ptr<Reading> read_all(ports::LogQuery query) {
    auto reading = read(std::move(query));
    EXPECT_TRUE(wait([&] { return reading->end.has_value(); }));
    EXPECT_TRUE(reading->end && *reading->end);
    return reading;
  }
  std::string run(std::string const& name, std::string const& script) {
    auto const id = start(name, {"sh", "-c", script});
    EXPECT_TRUE(wait_for_state(id, model::ContainerState::Exited));
    return id;
  }
  using Texts = std::vector<std::string>;
};

}  // namespace davit::conformance
