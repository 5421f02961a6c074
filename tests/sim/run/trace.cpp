#include "sim/run/trace.hpp"

#include <fmt/core.h>

#include "sim/run/words.hpp"

namespace davit::sim {
namespace {

enum Kind : std::uint64_t {
  Committed,
  ToAgent,
  ToPeer,
  AtAgent,
  ToMaster,
  Engine,
  Container,
  Started,
  DiskLost,
  Changed,
  Noted,
  Fault,
  Acknowledged
};

}  // namespace

template <class Words>
void Trace::add(std::uint64_t kind, std::uint64_t a, std::uint64_t b, Words const& words) {
  auto const time = static_cast<std::uint64_t>(loop_.now().monotonic.time_since_epoch().count());
  for (auto const number : {time, kind, a, b}) {
    hash_ = (hash_ ^ number) * 0x9e3779b97f4a7c15;
    hash_ ^= hash_ >> 29;
  }
  if (is_printed_) fmt::print("{:10.4f} {}\n", static_cast<double>(time) / 1e9 - 1000, words());
}

void Trace::on_committed(ports::Commit const& commit, ports::Committed const& committed) {
  std::uint64_t content = 0;
  for (auto const& operation : commit.operations) {
    auto const* put = std::get_if<ports::Put>(&operation);
    content ^= put ? stable_hash(put->value) : stable_hash(std::get<ports::Erase>(operation).key);
  }
  add(Committed, static_cast<std::uint64_t>(committed.revision), content,
      [&] { return fmt::format("store {}:{}", committed.revision, words_of(commit)); });
}
void Trace::on_sent_to_agent(NodeId master, NodeId agent, model::ToAgent const& message) {
  add(ToAgent, master.value << 32 | agent.value, message.index(),
      [&] { return fmt::format("{} → {} {}", master.value, agent.value, words_of(message)); });
}
void Trace::on_sent_to_peer(NodeId master, NodeId peer, model::PeerMessage const& message) {
  add(ToPeer, master.value << 32 | peer.value, message.index(),
      [&] { return fmt::format("{} → {} {}", master.value, peer.value, words_of(message)); });
}
void Trace::on_received_by_agent(NodeId agent, model::ToAgent const& message) {
  add(AtAgent, agent.value, message.index(), [&] { return fmt::format("at {} {}", agent.value, words_of(message)); });
}
void Trace::on_sent_by_agent(NodeId agent, NodeId master, model::ToMaster const& message) {
  add(ToMaster, agent.value << 32 | master.value, message.index(),
      [&] { return fmt::format("{} → {} {}", agent.value, master.value, words_of(message)); });
}
void Trace::on_engine_called(NodeId agent, model::EngineCall const& call) {
  add(Engine, agent.value, call.index(), [&] { return fmt::format("{} engine: {}", agent.value, words_of(call)); });
}
void Trace::on_container_changed(NodeId agent, model::ContainerDetail const& container) {
  add(Container, agent.value, static_cast<std::uint64_t>(container.state),
      [&] { return fmt::format("{} container {} {}", agent.value, container.name, model::to_string(container.state)); });
}
void Trace::on_agent_started(NodeId agent) {
  add(Started, agent.value, 0, [&] { return fmt::format("{} starts", agent.value); });
}
void Trace::on_disk_lost(NodeId agent) {
  add(DiskLost, agent.value, 0, [&] { return fmt::format("{} loses its state file", agent.value); });
}
void Trace::on_transition(NodeId master, master::Transition const& change) {
  add(Changed, master.value, change.instance.value, [&] {
    return fmt::format("{} sees {} {}.{} {} {}", master.value, change.type, change.service, change.slot, change.node, change.message);
  });
}
void Trace::on_noted(NodeId process, std::string const& text) {
  add(Noted, process.value, 0, [&] { return fmt::format("{} notes: {}", process.value, text); });
}
void Trace::on_fault(std::string const& text) {
  add(Fault, 0, 0, [&] { return fmt::format("---- {}", text); });
}
void Trace::on_acknowledged(std::string const& request, Result<model::Applied> const& outcome) {
  add(Acknowledged, stable_hash(request), outcome ? outcome->generation : 0, [&] {
    return fmt::format("user: {} {}", request, outcome ? fmt::format("done, generation {}", outcome->generation) : outcome.error().message);
  });
}

}  // namespace davit::sim
