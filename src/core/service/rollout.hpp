// One step of a rollout: who is outdated, who may be replaced now, who has failed, and what follows from it. All of it is read
// from the head and from what agents report, so that any owner goes on from where the last one was. Pure.
//
// A slot goes    waiting ─→ begun ─→ done                  done: its new instance has served for `monitor`
//                             └────→ failing ─→ begun      restarted in place
// start-first: the new instance is placed beside the old one, which stops when the slot is done. stop-first: it is placed when the old
// one is gone. At most `parallelism` slots are begun at a time, and a done one holds its turn for `delay` more.
//
// It stops no serving instance unless as many go on serving as there are slots (start-first), or `parallelism` fewer (stop-first).
// Slots for which no node has room do not count, unless the rollout itself has emptied them.
//
// More failing slots than max_failure_ratio bears lead to a journalled decision: rolled_back, or rollout_stopped. With
// failure_action: continue they lead to none: what can be replaced is, and the end is a partial one.
#pragma once

#include "core/service/draft.hpp"

namespace davit::service {

// While head.rollout is under way. A paused rollout finishes what it has begun, begins nothing and decides nothing.
void roll(model::Head const& head, Terms const& terms, Draft& draft, Now now);

// Back to a kept revision; `instances` stays.
model::RolledBack roll_back(model::Head const& head, std::uint32_t revision);

}  // namespace davit::service
