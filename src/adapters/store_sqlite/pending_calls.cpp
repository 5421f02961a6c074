#include "adapters/store_sqlite/pending_calls.hpp"

#include <vector>

namespace davit::store_sqlite {

PendingCalls::PendingCalls(ports::Loop& loop, Overdue overdue) : loop_(loop), overdue_(std::move(overdue)), timer_(loop.make_timer()) {}

CallId PendingCalls::add(Monotonic deadline, bool writes, Finish finish) {
  CallId const id = ++last_id_;
  calls_.emplace(id, Pending{.deadline = deadline, .writes = writes, .finish = std::move(finish)});
  if (deadline != kNever) deadlines_.emplace(deadline, id);
  arm();
  return id;
}

void PendingCalls::finish(CallId id, Result<Answer> answer) {
  auto const found = calls_.find(id);
  if (found == calls_.end()) return;
  auto const call = std::move(found->second);
  calls_.erase(found);
  deadlines_.erase({call.deadline, id});
  call.finish(std::move(answer));
}

// Calls finish long before their deadlines as a rule, so the timer is only ever moved forward here, not with each of them.
void PendingCalls::arm() {
  if (deadlines_.empty() || deadlines_.begin()->first >= armed_for_) return;
  armed_for_ = deadlines_.begin()->first;
  timer_->set(armed_for_, [this] {
    armed_for_ = kNever;
    end_overdue();
  });
}

void PendingCalls::end_overdue() {
  auto const self = shared_from_this();  // what a call's end sets off may stop the store
  std::vector<CallId> due;
  for (auto const& [deadline, id] : deadlines_) {
    if (deadline > loop_.now().monotonic) break;
    due.push_back(id);
  }
  for (CallId const id : due)
    if (auto const call = calls_.find(id); call != calls_.end()) finish(id, std::unexpected(overdue_(id, call->second.writes)));
  arm();
}

void PendingCalls::close() {
  timer_->cancel();
  armed_for_ = kNever;
  deadlines_.clear();
  calls_.clear();
}

}  // namespace davit::store_sqlite
