// A master's answer to the coordinator's suspicion (protocol.md §6): what it writes under `seen/<its id>`, and when. Every master does so,
// the coordinator too; only while there are suspects and only while its session is valid.
#pragma once

#include <optional>
#include <string>

#include "base/ids.hpp"
#include "core/cluster/liveness.hpp"
#include "model/records.hpp"

namespace davit::cluster {

model::SeenRecord answer_to(model::SuspectsRecord const& suspects, Liveness const& liveness, NodeId master, std::string const& session,
                            Monotonic now);

// The answer if it has to be written: there are suspects, and `written` (the last one that was sent to the store, null for none) says
// something else. Ask when `suspects` changes, after take_changed() and after each tick that was late or ended a time without witness.
std::optional<model::SeenRecord> answer_due(model::SeenRecord const* written, model::SuspectsRecord const& suspects,
                                            Liveness const& liveness, NodeId master, std::string const& session, Monotonic now);

}  // namespace davit::cluster
