#include "sim/rules/admission_rule.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace davit::sim {
namespace {

constexpr double kCores = 4;  // of the simulated engine
constexpr std::int64_t kMemory = 8LL << 30;

bool runs(AgentNode const& agent, InstanceId instance) {
  return std::ranges::any_of(agent.engine().containers(), [&](auto const& each) {
    auto const label = each.second.detail.labels.find("davit.instance");
    return label != each.second.detail.labels.end() && label->second == to_string(instance) && each.second.is_alive();
  });
}

}  // namespace

void AdmissionRule::on_received_by_agent(NodeId id, model::ToAgent const& message) {
  auto& agent = agents_[id];
  auto const* offer = std::get_if<model::RunInstance>(&message);
  if (offer && agent.answered[offer->fence.shard.value] >= offer->fence.epoch) {
    agent.offers[offer->id] = *offer;
    if (offer->incarnation < agent.incarnation) agent.outlived.insert(offer->id);
    else agent.outlived.erase(offer->id);
  }
  if (auto const* welcome = std::get_if<model::Welcome>(&message)) agent.incarnation = std::max(agent.incarnation, welcome->incarnation);
  auto const* stop = std::get_if<model::StopInstance>(&message);
  if (stop) agent.told_to_stop.insert(stop->id);  // which it reports once the engine's call under way is done
}

// That they are gone is said later, where a refusal has to be durable first; an earlier attempt's container may be left for a while.
void AdmissionRule::forget_ended(NodeId id, Agent& agent) const {
  auto const is_told_to_stop = [&](auto const& each) { return agent.told_to_stop.contains(each.first); };
  if (std::ranges::none_of(agent.admitted, is_told_to_stop)) return;
  std::set<std::string> there;
  for (auto const& [name, container] : cluster_->agent(id).engine().containers()) {
    auto const label = container.detail.labels.find("davit.instance");
    if (label != container.detail.labels.end() && container.is_alive()) there.insert(label->second);
  }
  std::erase_if(agent.admitted, [&](auto const& each) { return is_told_to_stop(each) && !there.contains(to_string(each.first)); });
}

void AdmissionRule::on_sent_by_agent(NodeId id, NodeId, model::ToMaster const& message) {
  auto& agent = agents_[id];
  if (auto const* verdict = std::get_if<model::Verdict>(&message); verdict && verdict->admitted) on_admitted(id, agent, *verdict);
  if (auto const* changed = std::get_if<model::InstanceChanged>(&message)) on_report(id, agent, changed->report);
  if (auto const* gone = std::get_if<model::InstanceGone>(&message)) {
    agent.admitted.erase(gone->id);
    agent.offers.erase(gone->id);  // should its container turn up yet, the agent learns anew what it reserves
  }
  if (auto const* stored = std::get_if<model::FencesStored>(&message)) {
    for (auto const& fence : stored->fences) {
      auto& answered = agent.answered[fence.shard.value];
      answered = std::max(answered, fence.epoch);
    }
    on_list(agent, stored->all);
  }
}

void AdmissionRule::on_admitted(NodeId id, Agent& agent, model::Verdict const& verdict) {
  auto const found = agent.offers.find(verdict.id);
  if (found == agent.offers.end()) return;  // what the epoch rule complains of
  findings_.checked();
  auto const& offer = found->second;
  if (agent.outlived.contains(verdict.id)) {
    findings_.add("admission", fmt::format("agent {} admits {} in life {}, which was offered to life {}", id.value, to_string(verdict.id),
                                           agent.incarnation, offer.incarnation));
  }
  forget_ended(id, agent);
  agent.admitted[verdict.id] = {offer.uid, offer.spec, false, false, {}};
  double cores = 0;
  std::int64_t memory = 0;
  std::int64_t of_service = 0;
  for (auto const& [other, each] : agent.admitted) {
    if (each.uid == offer.uid && !each.is_stopping && !agent.told_to_stop.contains(other)) ++of_service;
    if (!each.spec) continue;
    cores += each.spec->resources.reservations.cpus;
    memory += each.spec->resources.reservations.memory.count;
  }
  auto const& reserved = offer.spec->resources.reservations;
  auto const most = offer.spec->placement.max_replicas_per_node;
  if (most > 0 && of_service > most) {
    findings_.add("admission", fmt::format("agent {} admits {} as number {} of {}.{}, of which {} may run there", id.value,
                                           to_string(verdict.id), of_service, offer.service, offer.slot, most));
  }
  if ((reserved.cpus > 0 && cores > kCores + 1e-6) || (reserved.memory.count > 0 && memory > kMemory)) {
    findings_.add("admission", fmt::format("agent {} admits {} of {}.{}: {:.2f} cores and {} bytes are reserved by then", id.value,
                                           to_string(verdict.id), offer.service, offer.slot, cores, memory));
  }
}

void AdmissionRule::on_report(NodeId id, Agent& agent, model::InstanceReport const& report) {
  auto const found = agent.admitted.find(report.id);
  if (found == agent.admitted.end()) return;
  found->second.is_stopping = report.state == model::InstanceState::Stopping;
  found->second.ports = report.ports;
  if (report.state != model::InstanceState::Stopping) forget_ended(id, agent);
  std::vector<std::pair<model::PublishedPort const*, InstanceId>> taken;
  for (auto const& [instance, each] : agent.admitted) {
    // Made late, for a process that is no more: its port may be another one's by now, and it gets one of its own should it be started.
    if (each.is_found && !runs(cluster_->agent(id), instance)) continue;
    for (auto const& port : each.ports) {
      if (port.published == 0) continue;
      for (auto const& [other, its] : taken) {
        bool const is_same = other->protocol == port.protocol && other->published == port.published;
        if (its == instance || !is_same || !model::share_address(other->address, port.address)) continue;
        findings_.add("admission",
                      fmt::format("agent {} gives port {} to {} and to {}", id.value, port.published, to_string(its), to_string(instance)));
      }
      taken.emplace_back(&port, instance);
    }
  }
}

// The agent's whole truth: what it does not list is gone, though nobody was there to be told.
void AdmissionRule::on_list(Agent& agent, std::vector<model::InstanceReport> const& all) {
  std::set<InstanceId> listed;
  for (auto const& report : all) {
    listed.insert(report.id);
    auto const offer = agent.offers.find(report.id);
    auto const spec = offer == agent.offers.end() ? nullptr : offer->second.spec;
    agent.admitted.try_emplace(report.id, Admitted{report.uid, spec, true, false, {}});
    agent.admitted[report.id].is_stopping = report.state == model::InstanceState::Stopping;
    agent.admitted[report.id].ports = report.ports;
  }
  std::erase_if(agent.admitted, [&](auto const& each) { return !listed.contains(each.first); });
}

}  // namespace davit::sim
