#include "api/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/journal.hpp"

namespace davit::api {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct MetricsTest : ::testing::Test {
  // A master that has read these services from its store.
  static master::Master master_with(std::vector<std::string> const& names) {
    master::StoreBatch all{.revision = 42};
    for (auto const& name : names) {
      auto const spec = std::make_shared<model::ServiceSpec const>(model::ServiceSpec{.image = "a", .instances = 3});
      model::Head before;
      before.name = name;
      auto head = model::apply(std::move(before), {.number = 1, .body = model::ServiceCreated{spec}});
      head.uid = {1, 41};
      all.changes.push_back({.key = model::spec_key(name, 1), .record = model::SpecRecord{name, 1, head.revisions.at(1)}});
      all.changes.push_back({.key = model::head_key(name), .record = model::HeadRecord{std::move(head)}});
    }
    master::Master master({.new_cluster = {1}, .session = "test"});
    master::Actions actions;
    master.step({}, master::Started{}, actions);
    master.step({}, master::Loaded{std::move(all)}, actions);
    return master;
  }

  void transition(std::string type, std::string service, std::string previous) {
    metrics.on_changed({.type = std::move(type), .service = std::move(service), .previous = std::move(previous)});
  }

  Metrics metrics{"1.2.3"};
};

TEST_F(MetricsTest, shows_the_services_that_there_are_also_with_nothing_running) {
  auto const text = metrics.expose(master_with({"web"}));
  EXPECT_THAT(text, HasSubstr("davit_service_ready{service=\"web\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("davit_service_instances{service=\"web\",state=\"running\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("davit_instance_restarts_total{service=\"web\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("davit_store_revision 42\n"));
  EXPECT_THAT(text, HasSubstr("davit_build_info{version=\"1.2.3\"} 1\n"));
}

TEST_F(MetricsTest, counts_only_restarts_in_place) {
  transition("instance.preparing", "web", "offered");
  transition("instance.preparing", "web", "failed");
  transition("instance.preparing", "web", "exited");
  EXPECT_THAT(metrics.expose(master_with({"web"})), HasSubstr("davit_instance_restarts_total{service=\"web\"} 2\n"));
}

TEST_F(MetricsTest, begins_anew_with_a_service_that_is_made_again) {
  transition("instance.preparing", "web", "failed");
  transition("service.removed", "web", "");
  EXPECT_THAT(metrics.expose(master_with({})), Not(HasSubstr("service=\"web\"")));
  EXPECT_THAT(metrics.expose(master_with({"web"})), HasSubstr("davit_instance_restarts_total{service=\"web\"} 0\n"));
}

TEST_F(MetricsTest, counts_requests_under_methods_that_are_known) {
  metrics.observe_request("GET", 200, 2ms);
  metrics.observe_request("BREW-1", 405, 2ms);
  metrics.observe_request("BREW-2", 405, 2ms);
  auto const text = metrics.expose(master_with({}));
  EXPECT_THAT(text, HasSubstr("davit_api_requests_total{code=\"200\",method=\"GET\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("davit_api_requests_total{code=\"405\",method=\"other\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("davit_api_request_seconds_count 3\n"));
}

}  // namespace
}  // namespace davit::api
