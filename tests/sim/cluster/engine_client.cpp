#include "sim/cluster/engine_client.hpp"

namespace davit::sim {

// Nothing of a killed process runs, so what is posted to it need not ask whether this is still there.
void EngineClient::call(model::EngineCall call, Monotonic deadline, ports::Done<model::EngineReply> done) {
  observer_.on_engine_called(place_.self, call);
  auto const id = ++last_call_;
  auto& pending = calls_[id] = {std::move(done), place_.process.make_timer()};
  pending.deadline->set(deadline, [this, id] { finish(id, fail(Code::UnknownOutcome, "no answer from the engine in time")); });
  engine_.call(std::move(call), kNever, [this, &process = place_.process, id](Result<model::EngineReply> outcome) {
    process.post([this, id, outcome = std::move(outcome)]() mutable { finish(id, std::move(outcome)); });
  });
}

void EngineClient::finish(std::uint64_t id, Result<model::EngineReply> outcome) {
  auto call = calls_.extract(id);
  if (call) call.mapped().done(std::move(outcome));
}

void EngineClient::watch(std::function<void(model::EngineHint)> on_hint) {
  engine_.watch([&process = place_.process, on_hint = std::move(on_hint)](model::EngineHint hint) {
    process.post([on_hint, hint = std::move(hint)] { on_hint(hint); });
  });
}

}  // namespace davit::sim
