// For the tests of the simulated engine's faults (what it does without them is the engine suite's, in tests/conformance/engine): a process
// with its connection, and what it was answered.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/fake_engine.hpp"
#include "sim/virtual_loop.hpp"

namespace davit::sim {

class FakeEngineTest : public testing::Test {
 protected:
  struct Asked {
    std::vector<Result<model::EngineReply>> replies;
    Monotonic at{};

    bool is_answered() const { return !replies.empty(); }
    Error error() const { return replies.empty() ? Error{} : replies.at(0) ? Error{} : replies.at(0).error(); }
  };

  std::shared_ptr<Asked> ask(model::EngineCall call, Duration limit = 60s) { return ask(*engine_, std::move(call), limit); }
  std::shared_ptr<Asked> ask(FakeEngine& engine, model::EngineCall call, Duration limit = 60s) {
    auto asked = std::make_shared<Asked>();
    engine.call(std::move(call), loop_.now().monotonic + limit, [this, asked](auto reply) {
      asked->replies.push_back(std::move(reply));
      asked->at = loop_.now().monotonic;
    });
    return asked;
  }
  std::shared_ptr<Asked> finish(model::EngineCall call, Duration limit = 60s) {
    auto const asked = ask(std::move(call), limit);
    EXPECT_TRUE(loop_.run_until([&] { return asked->is_answered(); }, limit));
    return asked;
  }
  model::CreateContainer container(std::string const& name, std::string const& image) {
    return {.name = name, .image = image, .spec = std::make_shared<model::ServiceSpec const>(), .labels = {{"davit.cluster", "99"}}};
  }
  std::string create(std::string const& name, std::string const& image = "ok") {
    auto const asked = finish(container(name, image));
    return asked->replies.at(0) ? std::get<model::Created>(*asked->replies.at(0)).id : asked->error().message;
  }
  std::string run(std::string const& name, std::string const& image = "ok") {
    auto const id = create(name, image);
    EXPECT_TRUE(finish(model::StartContainer{id})->replies.at(0));
    return id;
  }
  model::ContainerDetail const& detail(std::string const& id) { return docker_.find(id)->detail; }

  void watch() {
    engine_->watch([this](model::EngineHint hint) { hints_.push_back(std::move(hint)); });
    loop_.run_until_idle();
  }
  template <class Hint>
  std::ptrdiff_t count() const {
    return std::ranges::count_if(hints_, [](auto const& hint) { return std::holds_alternative<Hint>(hint); });
  }

  VirtualLoop loop_;
  FakeDocker docker_{loop_};
  std::unique_ptr<FakeEngine> engine_ = std::make_unique<FakeEngine>(docker_);
  std::vector<model::EngineHint> hints_;
};

}  // namespace davit::sim
