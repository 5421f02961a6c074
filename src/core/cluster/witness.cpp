#include "core/cluster/witness.hpp"

namespace davit::cluster {

model::SeenRecord answer_to(model::SuspectsRecord const& suspects, Liveness const& liveness, NodeId master, std::string const& session,
                            Monotonic now) {
  model::SeenRecord answer{master, session, suspects.round, liveness.counts_as_witness(now), {}, {}};
  for (auto const& life : suspects.nodes) {
    switch (liveness.hearing(life, now)) {
      case Hearing::Heard: answer.heard.push_back(life); break;
      case Hearing::Unknown: answer.unknown.push_back(life); break;
      case Hearing::Lost: break;
    }
  }
  return answer;
}

std::optional<model::SeenRecord> answer_due(model::SeenRecord const* written, model::SuspectsRecord const& suspects,
                                            Liveness const& liveness, NodeId master, std::string const& session, Monotonic now) {
  if (suspects.nodes.empty()) return std::nullopt;
  auto answer = answer_to(suspects, liveness, master, session, now);
  if (written != nullptr && *written == answer) return std::nullopt;
  return answer;
}

}  // namespace davit::cluster
