#include "core/agent/restart.hpp"

#include <algorithm>

namespace davit::agent {

std::uint32_t failures_after(model::RestartPolicy const& policy, std::uint32_t failures_before, Ending const& ending) {
  return ending.well > Duration::zero() && ending.well >= policy.window ? 1 : failures_before + 1;
}

std::optional<Duration> restart_after(model::RestartPolicy const& policy, std::uint32_t failures, Ending const& ending) {
  using model::RestartCondition;
  if (policy.condition == RestartCondition::None) return std::nullopt;
  if (policy.condition == RestartCondition::OnFailure && ending.clean) return std::nullopt;
  bool const never_ran = ending.ran == Duration::zero();
  if (failures <= 1 && !never_ran) return Duration::zero();
  auto const doublings = std::min(std::max(failures, 2U) - 2, 30U);
  return std::min(policy.max_delay, policy.delay * (std::int64_t{1} << doublings));
}

}  // namespace davit::agent
