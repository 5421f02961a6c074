#include "core/service/terms.hpp"

#include <algorithm>

namespace davit::service {
namespace {

using model::FailureAction;
using model::UpdateOrder;

std::string_view reason_of(UpdateOrder order, std::string_view obstacle) {
  if (!obstacle.empty() && order != UpdateOrder::StopFirst) return obstacle;
  return order == UpdateOrder::Auto ? "nothing forbids two instances of a slot at once" : "update_config says so";
}

}  // namespace

Moving moving_of(model::ServiceSpec const& spec) {
  if (model::has_node_volume(spec)) return Moving::Never;
  return spec.on_isolation == model::OnIsolation::Stop ? Moving::StopFirst : Moving::StartFirst;
}

Terms terms_of(model::Head const& head) {
  auto const& spec = *head.spec();
  bool const is_rollback = head.rollout.is_rollback;
  auto const& config = is_rollback && spec.rollback_config ? *spec.rollback_config : spec.update_config;
  auto const slots = static_cast<std::size_t>(std::max<std::int64_t>(spec.instances, 0));
  auto const wanted = static_cast<std::size_t>(std::max<std::int64_t>(config.parallelism, 0));
  auto const obstacle = model::what_forbids_overlap(spec);
  // There is nothing behind a rollback to go back to.
  bool const is_last_resort = is_rollback && config.failure_action == FailureAction::Rollback;
  return {.parallelism = wanted == 0 ? slots : std::min(wanted, slots),
          .delay = config.delay,
          .monitor = config.monitor,
          .progress_deadline = config.progress_deadline,
          .failure_action = is_last_resort ? FailureAction::Pause : config.failure_action,
          .max_failure_ratio = config.max_failure_ratio,
          .is_start_first = obstacle.empty() && config.order != UpdateOrder::StopFirst,
          .may_give_way = config.order == UpdateOrder::Auto,
          .moving = moving_of(spec),
          .order_reason = reason_of(config.order, obstacle)};
}

}  // namespace davit::service
