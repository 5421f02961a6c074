// One machine in trouble: what the tests of its faults share.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "machine/world.hpp"

namespace davit::sim {

inline model::ServiceSpec spec_of(std::string image, std::int64_t instances) {
  model::ServiceSpec spec;
  spec.image = std::move(image);
  spec.instances = instances;
  spec.drain_delay = 0s;
  spec.update_config.monitor = 1s;
  return spec;
}

inline model::ServiceSpec pausing(model::ServiceSpec spec) {
  spec.update_config.failure_action = model::FailureAction::Pause;
  return spec;
}

inline model::ServiceSpec with_port(model::ServiceSpec spec, std::optional<std::int64_t> published = {}) {
  spec.ports.push_back({.target = 80, .published = published});
  return spec;
}

inline Error away() { return {Code::Unavailable, "connection refused", std::string(model::engine_error::kEngineAway)}; }
inline Error no_answer_in_time() { return {Code::Deadline, "no answer in time", std::string(model::engine_error::kEngineAway)}; }
inline Error unknown() { return {Code::UnknownOutcome, "the connection was lost", {}}; }
inline Error internal() { return {Code::Internal, "the engine answered 500", {}}; }

template <class Wanted>
bool is(model::EngineCall const& call) {
  return std::holds_alternative<Wanted>(call);
}

inline std::size_t keys(World& world, std::string const& part) {
  auto const all = world.store().data().range({.prefix = std::string(model::kRoot)});
  return static_cast<std::size_t>(std::ranges::count_if(all->items, [&](auto const& item) { return item.key.contains(part); }));
}

class FaultsTest : public testing::Test {
 protected:
  FaultsTest() { world_.start_process(); }

  bool until(std::function<bool()> const& condition, Duration limit = 60s) { return world_.loop.run_until(condition, limit); }
  service::Instance const& instance(std::string const& service, std::size_t index = 0) {
    return world_.master().find_service(service)->instances.at(index);
  }
  std::int64_t count(std::string const& name) { return static_cast<std::int64_t>(running(name).size()); }
  std::vector<std::string> running(std::string const& service) {
    std::vector<std::string> names;
    for (auto const& name : world_.docker.running()) {
      if (name.starts_with(service + ".")) names.push_back(name);
    }
    return names;
  }
  // The first call that matches fails so, once.
  void fail_once(std::function<bool(model::EngineCall const&)> matches, FakeDocker::Fault fault) {
    world_.docker.on_call = [matches = std::move(matches), fault, spent = false](auto, auto const& call) mutable {
      return !spent && matches(call) ? (spent = true, std::optional(fault)) : std::nullopt;
    };
  }
  Result<master::Applied> command(std::string request_id, service::CommandBody body, std::string service = "web") {
    return world_.command({.service = std::move(service), .request_id = std::move(request_id), .fingerprint = 1, .body = std::move(body)});
  }
  static model::SpecRef shared(model::ServiceSpec spec) { return std::make_shared<model::ServiceSpec const>(std::move(spec)); }

  World world_;
};

}  // namespace davit::sim
