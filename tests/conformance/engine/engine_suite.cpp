#include "conformance/engine/engine_suite.hpp"

#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>

namespace davit::conformance {

void EngineSuite::SetUp() {
  std::string why_not;
  harness_ = GetParam().make(why_not);
  if (!harness_) GTEST_SKIP() << "NOT RUN: " << why_not;
  static int tests = 0;
  prefix_ = fmt::format("davit-suite-{}-{}", ::getpid(), ++tests);
}

void EngineSuite::TearDown() {
  if (!harness_) return;
  auto const list = ask<model::ContainerList>(model::ListContainers{{{"davit.cluster", prefix_}}});
  if (list) {
    for (auto const& item : list->all) EXPECT_TRUE(order(model::RemoveContainer{item.id}));
  }
  harness_->stop_port();
}

Result<model::EngineReply> EngineSuite::call(model::EngineCall what, Duration limit) {
  auto const reply = std::make_shared<std::optional<Result<model::EngineReply>>>();
  bool inside = true;
  engine().call(std::move(what), harness_->now().monotonic + limit, [reply, &inside](auto result) {
    EXPECT_FALSE(inside) << "done was run inside call()";
    EXPECT_FALSE(*reply) << "done was run twice";
    *reply = std::move(result);
  });
  inside = false;
  if (!wait([&] { return reply->has_value(); }, limit + 10s)) return fail(Code::Internal, "done was never run");
  return std::move(**reply);
}

Status EngineSuite::order(model::EngineCall what, Duration limit) {
  TRY_VOID(ask<model::Acknowledged>(std::move(what), limit));
  return {};
}

model::CreateContainer EngineSuite::container(std::string const& name, std::vector<std::string> command) {
  model::ServiceSpec spec;
  spec.image = harness_->image();
  spec.command.items = std::move(command);
  model::CreateContainer out;
  out.name = prefix_ + "-" + name;
  out.image = spec.image;
  out.labels = {{"davit.cluster", prefix_}};
  out.spec = std::make_shared<model::ServiceSpec const>(std::move(spec));
  return out;
}

std::string EngineSuite::create(model::CreateContainer wanted) {
  auto const created = ask<model::Created>(std::move(wanted));
  EXPECT_TRUE(created) << created.error().message;
  return created ? created->id : "";
}

std::string EngineSuite::start(std::string const& name, std::vector<std::string> command) {
  auto const id = create(container(name, std::move(command)));
  auto const started = order(model::StartContainer{id});
  EXPECT_TRUE(started) << started.error().message;
  return id;
}

model::ContainerDetail EngineSuite::inspect(std::string const& id) {
  auto detail = ask<model::ContainerDetail>(model::InspectContainer{id});
  EXPECT_TRUE(detail) << detail.error().message;
  return detail ? std::move(*detail) : model::ContainerDetail{};
}

bool EngineSuite::wait_for_state(std::string const& id, model::ContainerState state) {
  return wait_for(id, [state](auto const& detail) { return detail.state == state; });
}

bool EngineSuite::wait_for(std::string const& id, std::function<bool(model::ContainerDetail const&)> condition) {
  auto const until = harness_->now().monotonic + 20s;
  while (harness_->now().monotonic < until) {
    if (condition(inspect(id))) return true;
  }
  return false;
}

void EngineSuite::watch() {
  engine().watch([this](model::EngineHint hint) { hints_.push_back(std::move(hint)); });
}

bool EngineSuite::was_touched(std::string const& id) const {
  return std::any_of(hints_.begin(), hints_.end(), [&](auto const& hint) {
    auto const* touched = std::get_if<model::ContainerTouched>(&hint);
    return touched && touched->id == id;
  });
}

}  // namespace davit::conformance
