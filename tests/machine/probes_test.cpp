// Instances that the agent probes: when they are ready, and what becomes of those that answer no more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "machine/world.hpp"

namespace davit::sim {
namespace {

using model::Health;
using model::Reason;
using testing::HasSubstr;
using testing::SizeIs;

class ProbesTest : public testing::Test {
 protected:
  ProbesTest() {
    world_.start_process();
    world_.on_probe = [this](model::ProbeTarget const& target) {
      targets_.push_back(target);
      return is_well_ ? Status() : fail(Code::Unavailable, "GET /ready answers 503");
    };
  }
  static model::ServiceSpec spec() {
    model::ServiceSpec spec;
    spec.image = "ok";
    spec.healthcheck = model::Healthcheck{.test = {},
                                          .http = model::HttpProbe{8080, "/ready"},
                                          .tcp = {},
                                          .interval = 10s,
                                          .retries = 3,
                                          .start_period = 0s,
                                          .start_interval = 1s};
    return spec;
  }
  service::Instance const& instance() { return world_.master().find_service("web")->instances.at(0); }
  bool until(std::function<bool()> const& condition, Duration limit = 60s) { return world_.loop.run_until(condition, limit); }
  void pass(Duration time) {
    until([] { return false; }, time);
  }

  static constexpr std::uint16_t kNeverReady = 8081;

  World world_;
  bool is_well_ = true;
  std::vector<model::ProbeTarget> targets_;
};

TEST_F(ProbesTest, make_an_instance_ready) {
  is_well_ = false;
  ASSERT_TRUE(world_.create("web", spec()));
  ASSERT_TRUE(until([&] { return instance().health == Health::Starting && targets_.size() >= 3; }));
  EXPECT_FALSE(instance().is_ready());
  EXPECT_EQ(targets_.front(), (model::ProbeTarget{"172.17.0.2", 8080, "/ready"}));
  is_well_ = true;
  ASSERT_TRUE(until([&] { return instance().is_ready(); }, 2s));
  EXPECT_EQ(instance().health, Health::Healthy);
}

TEST_F(ProbesTest, restart_what_answers_no_more_and_say_why) {
  ASSERT_TRUE(world_.create("web", spec()));
  ASSERT_TRUE(until([&] { return instance().is_ready(); }));
  auto const before = world_.docker.running();
  is_well_ = false;
  ASSERT_TRUE(until([&] { return instance().reason == Reason::Unhealthy; }, 40s));
  EXPECT_THAT(instance().detail->rare->message, HasSubstr("answers 503"));
  is_well_ = true;
  ASSERT_TRUE(until([&] { return instance().is_ready() && world_.docker.running() != before; }));
  EXPECT_EQ(instance().restarts, 1u);
}

TEST_F(ProbesTest, leave_what_is_not_to_be_restarted_and_take_it_back) {
  auto wanted = spec();
  wanted.restart_policy.condition = model::RestartCondition::None;
  ASSERT_TRUE(world_.create("web", wanted));
  ASSERT_TRUE(until([&] { return instance().is_ready(); }));
  auto const before = world_.docker.running();
  is_well_ = false;
  ASSERT_TRUE(until([&] { return instance().health == Health::Unhealthy; }, 40s));
  EXPECT_FALSE(instance().is_ready());
  is_well_ = true;
  ASSERT_TRUE(until([&] { return instance().is_ready(); }, 20s));
  EXPECT_EQ(world_.docker.running(), before);
}

TEST_F(ProbesTest, overlook_a_failure_or_two) {
  ASSERT_TRUE(world_.create("web", spec()));
  ASSERT_TRUE(until([&] { return instance().is_ready(); }));
  auto const before = world_.docker.running();
  for (int i = 0; i < 5; ++i) {
    is_well_ = false;
    pass(15s);
    is_well_ = true;
    pass(15s);
    EXPECT_TRUE(instance().is_ready());
  }
  EXPECT_EQ(world_.docker.running(), before);
}

TEST_F(ProbesTest, go_on_after_a_restart_of_the_process_without_a_gap) {
  ASSERT_TRUE(world_.create("web", spec()));
  ASSERT_TRUE(until([&] { return instance().is_ready(); }));
  pass(60s);
  auto const before = world_.docker.running();
  world_.kill_process();
  targets_.clear();
  world_.start_process();
  ASSERT_TRUE(world_.settle(30s)) << world_.pending();
  EXPECT_TRUE(instance().is_ready());
  ASSERT_TRUE(until([&] { return targets_.size() >= 2; }, 15s));
  is_well_ = false;
  ASSERT_TRUE(until([&] { return world_.docker.running() != before; }, 60s));
}

TEST_F(ProbesTest, tell_the_next_agent_before_it_tells_anybody_what_is_ready) {
  ASSERT_TRUE(world_.create("young", spec()));
  ASSERT_TRUE(until([&] { return world_.master().find_service("young")->instances.at(0).is_ready(); }));
  is_well_ = false;
  auto other = spec();
  other.healthcheck->http->port = kNeverReady;
  ASSERT_TRUE(world_.create("web", other));
  targets_.clear();
  ASSERT_TRUE(until([&] { return instance().health == Health::Starting && targets_.size() >= 2; }));
  world_.on_probe = [](model::ProbeTarget const& target) {
    return target.port != kNeverReady ? Status() : fail(Code::Unavailable, "GET /ready answers 503");
  };
  world_.kill_process();
  world_.start_process();
  auto const of = [&](char const* name) -> service::Instance const* {
    auto const* service = world_.master().find_service(name);
    return service && !service->instances.empty() ? &service->instances.at(0) : nullptr;
  };
  bool was_seen = false;
  until(
      [&] {
        was_seen |= of("young") && of("web");
        if (of("young")) EXPECT_TRUE(of("young")->is_ready()) << "it was, and is";
        if (of("web")) EXPECT_FALSE(of("web")->is_ready()) << "it never was";
        return testing::Test::HasFailure();
      },
      5s);
  EXPECT_TRUE(was_seen);
}

// An image that was made of a container has its labels.
TEST_F(ProbesTest, are_not_sent_because_an_image_says_so) {
  auto wanted = spec();
  wanted.healthcheck.reset();
  wanted.container_labels.items["davit.probe"] = "tcp 80 container 1000 1000 3 0 1000";
  ASSERT_TRUE(world_.create("web", wanted));
  ASSERT_TRUE(until([&] { return instance().is_ready(); }));
  world_.kill_process();
  world_.start_process();
  ASSERT_TRUE(world_.settle(30s)) << world_.pending();
  pass(30s);
  EXPECT_THAT(targets_, SizeIs(0));
  EXPECT_TRUE(instance().is_ready());
}

TEST_F(ProbesTest, end_with_the_instance) {
  ASSERT_TRUE(world_.create("web", spec()));
  ASSERT_TRUE(until([&] { return instance().is_ready(); }));
  ASSERT_TRUE(world_.remove("web"));
  ASSERT_TRUE(world_.settle(60s)) << world_.pending();
  targets_.clear();
  pass(60s);
  EXPECT_THAT(targets_, SizeIs(0));
}

}  // namespace
}  // namespace davit::sim
