// What agents say, and the master's table of instances and nodes that follows from it.
#include <algorithm>

#include <fmt/core.h>

#include "base/check.hpp"
#include "core/master/master.hpp"

namespace davit::master {

using model::InstanceState;
using model::Reason;

namespace {
constexpr Duration kRejectedRetry = 1s;
}  // namespace

void Master::on(FromAgent const& event) {
  auto const ix = index_of(event.node);
  auto& node = nodes_[static_cast<std::size_t>(ix)];
  bool const is_about_instances = std::holds_alternative<model::InstanceChanged>(event.message) ||
                                  std::holds_alternative<model::InstanceGone>(event.message) ||
                                  std::holds_alternative<model::Verdict>(event.message);
  if (is_about_instances && !node.is_fenced) return;  // its answer to the fence will say it all
  std::visit([&](auto const& message) { on_message(node, message); }, event.message);
}

NodeIx Master::index_of(NodeId id) {
  auto const [known, is_new] = node_ix_.try_emplace(id, NodeIx(nodes_.size()));
  if (is_new) {
    nodes_.emplace_back();
    nodes_.back().record.id = nodes_.back().facts.id = id;
  }
  return known->second;
}

void Master::on_message(Node& node, model::AgentHello const& message) {
  node.is_connected = true;
  node.is_fenced = false;
  node.facts = message.facts;
  changed({.type = "node.up", .node = node.facts.name});
  if (phase_ == Phase::Active) welcome(node);
}

// An agent that is connected, once this master acts.
void Master::welcome(Node& node) {
  fence_agent(node);
  record(node);
}

void Master::record(Node& node) {
  if (node.record.name != node.facts.name || node.record.roles != node.facts.roles) node.is_recorded = false;
  if (node.is_recorded || node.is_being_recorded) return;
  node.record.name = node.facts.name;
  node.record.roles = node.facts.roles;
  node.is_recorded = node.is_being_recorded = true;
  auto const key = model::node_key(node.record.id);
  submit(NodeWrite{node.record.id}, {.compares = {{key, Compare::Target::ModRevision, mod_revisions_[key]}}, .puts = {node.record}});
}

void Master::fence_agent(Node& node) {
  out_->push_back(Send{node.record.id, model::Welcome{cluster_->uid}});
  model::FenceShards message;
  for (auto const& [shard, epoch] : epochs_) message.fences.push_back({{shard}, epoch});
  out_->push_back(Send{node.record.id, std::move(message)});
}

void Master::on_message(Node& node, model::FencesStored const& message) {
  bool const holds_all = std::ranges::all_of(message.fences, [&](Fence const& fence) {
    auto const held = epochs_.find(fence.shard.value);
    return held != epochs_.end() && held->second == fence.epoch;
  });
  if (!holds_all || message.fences.empty()) return;  // an answer to an earlier holding
  node.is_fenced = true;
  drop_instances_not_in(node, message.all);
  for (auto const& report : message.all) merge(node, report);
  plan_all_soon();
}

void Master::drop_instances_not_in(Node& node, std::vector<model::InstanceReport> const& all) {
  std::set<InstanceId> listed;
  for (auto const& report : all) listed.insert(report.id);
  auto const ix = node_ix_.at(node.record.id);
  for (auto& [name, service] : services_) {
    std::vector<std::pair<std::uint32_t, InstanceId>> lost;
    for (auto const& instance : service.instances) {
      if (instance.node == ix && !listed.contains(instance.id)) lost.emplace_back(instance.slot, instance.id);
    }
    for (auto const& [slot, id] : lost) erase(service, *service.find(slot, id));
  }
}

void Master::on_message(Node& node, model::InstanceChanged const& message) { merge(node, message.report); }

void Master::merge(Node& node, model::InstanceReport const& report) {
  auto* service = find_by_uid(report.uid);
  if (!service) return stop_orphan(node, report);
  auto* instance = service->find(report.slot, report.id);
  if (!instance) {
    Instance found;
    found.id = report.id;
    found.slot = report.slot;
    found.revision = report.revision;
    found.created = now_.monotonic - report.created_ago;
    instance = &insert(*service, std::move(found));
  }
  if (auto const ix = node_ix_.at(node.record.id); instance->node != ix) set_node(*service, *instance, ix);

  auto const before = instance->state;
  bool const was_ready = instance->is_ready();
  auto const reason_before = instance->reason;
  auto message_before = instance->detail->message;
  instance->state = report.state;
  instance->health = report.health;
  instance->reason = report.reason;
  instance->restarts = report.restarts;
  instance->failures = report.failures;
  if (!report.ready) instance->ready_since = kNever;
  else if (!was_ready) instance->ready_since = now_.monotonic - report.state_ago;
  if (!instance->stop_sent) instance->retry_at = kNever;
  auto const at = [&](Duration ago) { return std::chrono::floor<std::chrono::milliseconds>(now_.wall - ago); };
  auto& detail = *instance->detail;
  // The agent's clock runs on between two reports: a time that was known stays as it was first told.
  bool const is_new = detail.created_at == Wall{};
  if (is_new) detail.created_at = at(report.created_ago);
  if (is_new || before != report.state) detail.state_since = at(report.state_ago);
  bool const is_same_start =
      before == report.state && detail.container.id == report.container.id && detail.started_at && report.started_ago;
  if (!is_same_start) detail.started_at = report.started_ago ? std::optional(at(*report.started_ago)) : std::nullopt;
  detail.next_start_at = report.next_start_in ? std::optional(at(-*report.next_start_in)) : std::nullopt;
  detail.message = report.message;
  detail.container = report.container;
  detail.previous_container = report.previous_container;
  detail.ports = report.ports;
  for (auto& port : detail.ports) {
    if (port.address.empty() || port.address == "0.0.0.0" || port.address == "::") port.address = node.facts.address;
  }
  detail.digest = report.digest;
  detail.exit_code = report.exit_code;

  if (auto const kept = service->head.revisions.find(report.revision);
      !report.digest.empty() && kept != service->head.revisions.end() && kept->second.digest.empty()) {
    service->seen_digest = {report.revision, report.digest};
  }
  bool const is_news = before != instance->state || was_ready != instance->is_ready() || reason_before != instance->reason ||
                       message_before != detail.message;
  if (is_news || is_new) changed(*service, *instance, before);
  touch(*service);
  plan_soon(*service);
}

// An instance of a service that is gone. Of an older era it stays: the store may have been restored from before its creation.
void Master::stop_orphan(Node const& node, model::InstanceReport const& report) {
  auto const gone = gone_.find(report.service);
  bool const was_removed = gone != gone_.end() && gone->second.uid == report.uid;
  if (report.uid.era != cluster_->era && !was_removed) {
    out_->push_back(Noted{
        true,
        fmt::format("node {} runs {}.{} of a service that the restored store does not know; it is left alone: remove the container by hand",
                    node.facts.name, report.service, report.slot)});
    return;
  }
  if (report.state == InstanceState::Stopping) return;
  out_->push_back(
      Send{node.record.id, model::StopInstance{fence_of(report.service), report.id, report.uid, report.slot, Reason::ServiceRemoved}});
}

void Master::on_message(Node&, model::Verdict const& message) {
  auto* service = find_by_uid(message.uid);
  auto* instance = service ? service->find(message.slot, message.id) : nullptr;
  if (!instance || instance->state != InstanceState::Offered || message.admitted) return;
  set_node(*service, *instance, kNoNode);
  instance->retry_at = now_.monotonic + kRejectedRetry;
  if (instance->stop_sent) return erase(*service, *instance);
  set_state(*service, *instance, InstanceState::Pending, message.reason, message.message);
  plan_soon(*service);
}

void Master::on_message(Node&, model::InstanceGone const& message) {
  auto* service = find_by_uid(message.uid);
  auto* instance = service ? service->find(message.slot, message.id) : nullptr;
  if (instance) erase(*service, *instance);
}

void Master::on_message(Node& node, model::Beat const& message) { node.load = message.load; }

void Master::on_message(Node& node, model::FactsChanged const& message) {
  bool const came_back = message.facts.engine_up && !node.facts.engine_up;
  bool const went_away = !message.facts.engine_up && node.facts.engine_up;
  node.facts = message.facts;
  if (came_back || went_away) {
    changed({.type = "node.up",
             .node = node.facts.name,
             .reason = went_away ? Reason::EngineAway : Reason::None,
             .message = went_away ? message.facts.engine_message : fmt::format("engine {} answers", message.facts.engine.version)});
    plan_all_soon();
  }
}

void Master::on(AgentLeft const& event) {
  auto& node = nodes_[static_cast<std::size_t>(index_of(event.node))];
  node.is_connected = node.is_fenced = false;
}

Service* Master::find_by_uid(ServiceUid uid) {
  auto const name = names_.find(uid);
  return name == names_.end() ? nullptr : &services_.at(name->second);
}

}  // namespace davit::master
