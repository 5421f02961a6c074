// What update_config, or rollback_config for a rollback, comes to for the rollout of a service as it is now. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/time.hpp"
#include "model/journal.hpp"

namespace davit::service {

// How an instance gets to another node.
enum class Moving : std::uint8_t { StartFirst, StopFirst, Never };

Moving moving_of(model::ServiceSpec const& spec);

// A rollout that goes no further, or not at present: slots that it has not reached stay at their revision, also on another node.
inline bool may_stay_at_earlier(model::Rollout const& rollout) {
  return rollout.state == model::RolloutState::Paused || rollout.state == model::RolloutState::Stopped ||
         rollout.state == model::RolloutState::Incomplete;
}

struct Terms {
  std::size_t parallelism = 1;  // of slots, at most all; 0 only where there is none
  Duration delay{};
  Duration monitor{};
  Duration progress_deadline{};
  model::FailureAction failure_action = model::FailureAction::Pause;
  double max_failure_ratio = 0;
  bool is_start_first = true;     // two instances of one slot do not get in each other's way, and nobody has forbidden it
  bool may_give_way = true;       // the order was left to Davit: an old instance goes first where its successor fits nowhere beside it
  Moving moving = Moving::StartFirst;
  std::string_view order_reason;  // why this order
};

Terms terms_of(model::Head const& head);

}  // namespace davit::service
