#include "core/service/terms.hpp"

#include <gtest/gtest.h>

namespace davit::service {
namespace {

using model::FailureAction;
using model::UpdateOrder;

model::Head head_of(model::ServiceSpec spec, bool is_rollback = false) {
  model::Head head{.name = "web", .events = 1, .generation = 1, .revision = 1, .last_revision = 1};
  head.revisions[1].spec = std::make_shared<model::ServiceSpec const>(std::move(spec));
  head.rollout.is_rollback = is_rollback;
  return head;
}

TEST(Terms, choose_the_order_and_say_why) {
  model::PortSpec const fixed{.target = 80, .published = 8080};
  model::PortSpec const range{.target = 80, .published = 8080, .published_end = 8089};
  struct {
    std::vector<model::PortSpec> ports;
    std::vector<model::Mount> volumes;
    UpdateOrder order;
    bool is_start_first;
    std::string_view reason;
  } const cases[] = {
      {{}, {}, UpdateOrder::Auto, true, "nothing forbids two instances of a slot at once"},
      {{range}, {}, UpdateOrder::Auto, true, "nothing forbids two instances of a slot at once"},
      {{fixed}, {}, UpdateOrder::Auto, false, "a fixed host port"},
      {{fixed}, {}, UpdateOrder::StartFirst, false, "a fixed host port"},
      {{fixed}, {}, UpdateOrder::StopFirst, false, "update_config says so"},
      {{}, {{.source = "data", .target = "/d"}}, UpdateOrder::Auto, false, "a writable volume"},
      {{}, {{.source = "data", .target = "/d", .read_only = true}}, UpdateOrder::StartFirst, true, "update_config says so"},
  };
  for (auto const& [ports, volumes, order, is_start_first, reason] : cases) {
    model::ServiceSpec spec{.image = "a"};
    spec.ports = ports;
    spec.volumes = volumes;
    spec.update_config.order = order;
    auto const terms = terms_of(head_of(spec));
    EXPECT_EQ(terms.is_start_first, is_start_first) << reason;
    EXPECT_EQ(terms.order_reason, reason);
  }
}

TEST(Terms, of_a_rollback_are_its_own_and_never_lead_to_another) {
  model::ServiceSpec spec{.image = "a", .instances = 5};
  spec.update_config.parallelism = 3;
  EXPECT_EQ(terms_of(head_of(spec)).failure_action, FailureAction::Rollback);
  EXPECT_EQ(terms_of(head_of(spec, true)).failure_action, FailureAction::Pause);
  EXPECT_EQ(terms_of(head_of(spec, true)).parallelism, 3U);
  spec.rollback_config = model::UpdateConfig{.parallelism = 0, .failure_action = FailureAction::Continue};
  EXPECT_EQ(terms_of(head_of(spec)).parallelism, 3U);
  EXPECT_EQ(terms_of(head_of(spec, true)).parallelism, 5U) << "0 is all";
  EXPECT_EQ(terms_of(head_of(spec, true)).failure_action, FailureAction::Continue);
}

}  // namespace
}  // namespace davit::service
