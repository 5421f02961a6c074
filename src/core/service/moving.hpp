// Off nodes that are to be emptied: which instances get a successor elsewhere, and when. While no rollout places new ones
// anyway: of slots that one has not reached when it was paused or stopped, the successor is of the revision that they are at. Pure.
//
// The successor is placed beside the old instance, which stops once the new one serves; where the service forbids two of one slot
// (on_isolation: stop), the old one stops first. At most `parallelism` slots of a service move at a time. A slot for which no other
// node has room stays where it is and holds up nobody; so does one that writes to a volume of its node, one of an earlier revision
// that would have to stop first, or whose slot an earlier one would fill then, and one whose replacement a paused rollout has begun.
#pragma once

#include "core/service/draft.hpp"

namespace davit::service {

void move_off(Terms const& terms, Draft& draft);

}  // namespace davit::service
