// What agents say, and the master's table of instances and nodes that follows from it.
#include <algorithm>

#include <fmt/core.h>

#include "base/check.hpp"
#include "base/planted.hpp"
#include "core/master/master.hpp"
#include "core/service/terms.hpp"

namespace davit::master {

using model::InstanceState;
using model::Reason;

namespace {
constexpr std::size_t kMostUnclaimed = 10'000;
}  // namespace

NodeIx Master::index_of(NodeId id) {
  auto const [known, is_new] = node_ix_.try_emplace(id, NodeIx(nodes_.size()));
  if (is_new) {
    nodes_.emplace_back();
    nodes_.back().record.id = nodes_.back().facts.id = id;
    nodes_.back().record.incarnation = 0;
    see_node(nodes_.back());
    answers_changed_ = true;
  }
  return known->second;
}

void Master::on(FromAgent const& event) {
  auto& node = node_of(event.node);
  pass_on(node, event.message);
  bool const is_of_the_node = std::holds_alternative<model::FactsChanged>(event.message) ||
                              std::holds_alternative<model::AgentHello>(event.message) ||
                              std::holds_alternative<model::Beat>(event.message);
  if (is_of_the_node || node.path.kind == Path::Kind::Direct) hear(node, event.message);
}

// Before it has told everything, single changes would read as all there is.
void Master::hear(Node& node, model::ToMaster const& message) {
  bool const is_change = std::holds_alternative<model::InstanceChanged>(message) || std::holds_alternative<model::InstanceGone>(message) ||
                         std::holds_alternative<model::Verdict>(message);
  if (is_change && (!node.has_reported || node.is_down())) return;
  std::visit([&](auto const& each) { on_message(node, each); }, message);
}

void Master::on_message(Node& node, model::AgentHello const& message) {
  bool const was_connected = std::exchange(node.is_connected, true);
  node.facts = message.facts;
  node.known_life = message.incarnation;
  if (node.path.kind == Path::Kind::Relayed) send_peer(node.path.peer, model::Subscribe{node.record.id, false});
  node.path = {};  // a new connection: what was said on the last one may be lost
  await_answer(node);
  if (liveness_) liveness_->connected(node.record.id, node.record.incarnation, now_.monotonic);
  if (!was_connected) changed({.type = "node.up", .node = node.facts.name});
  heard_changed_ = true;
  maintenance_due_ = true;
}

void Master::welcome(Node const& node) {
  if (view_.cluster.mod_revision == 0) return;
  model::Welcome message{
      .cluster = view_.cluster.record.uid, .incarnation = node.is_recorded ? node.record.incarnation : 0, .masters = addresses_};
  send(node, std::move(message), kNever);
}

void Master::send(Node const& node, model::ToAgent message, Monotonic valid_until) {
  if (valid_until <= now_.monotonic) return;  // what is still wanted is said again
  if (node.path.kind == Path::Kind::Relayed) {
    out_->push_back(SendPeer{node.path.peer, model::RelayToAgent{node.record.id, std::move(message)}, valid_until});
  } else if (node.is_connected) {
    out_->push_back(Send{node.record.id, std::move(message), valid_until});
  }
}

void Master::on_message(Node& node, model::FencesStored const& message) {
  if (message.asker != options_.self || message.round < node.first_round) return;  // to another master, or it came another way
  bool const is_first = !std::exchange(node.has_reported, true);
  node.was_heard = true;
  answers_changed_ = maintenance_due_ = true;
  if (node.is_down()) return;  // its instances are judged in its next life
  std::bitset<kShards> answered;
  for (auto const& fence : message.fences) {
    if (shards_[fence.shard.value].is_mine && shards_[fence.shard.value].epoch == fence.epoch) answered.set(fence.shard.value);
  }
  node.answered |= answered;
  bool const is_all_fenced = (mine_ & ~node.answered).none();
  if (message.round == node.last_round) node.fence_at = is_all_fenced ? kNever : now_.monotonic + 1s;
  drop_instances_not_in(node, message);
  for (auto const& report : message.all) {
    merge(node, report);
    auto* service = find_by_uid(report.uid);
    auto* instance = service && answered.test(service->shard.value) ? service->find(report.slot, report.id) : nullptr;
    if (!instance) continue;
    instance->is_confirmed = false;
    if (instance->stop_sent && !planted(Bug::StopsOnce)) instance->retry_at = now_.monotonic;  // it obeys from now on
  }
  if (is_first || answered.any()) plan_all_soon();
}

void Master::drop_instances_not_in(Node& node, model::FencesStored const& message) {
  std::set<InstanceId> listed;
  for (auto const& report : message.all) listed.insert(report.id);
  auto const all = instances_on(node);
  for (auto const& [uid, id, slot] : all) {
    auto& service = *find_by_uid(uid);
    auto& instance = *service.find(slot, id);
    bool const is_later_offer = instance.state == InstanceState::Offered && instance.detail->offered_in >= message.round;
    bool const is_claimed = instance.state == InstanceState::Pending;  // a slot that must not be doubled, before its offer
    if (planted(Bug::OffersOnce) && instance.state == InstanceState::Offered) continue;
    if (!listed.contains(id) && !is_later_offer && !is_claimed) give_up(service, instance, Reason::None);
  }
}

// A slot that must not be doubled is given up as §7 says: never because its agent was not heard.
void Master::give_up(Service& service, Instance& instance, Reason reason) {
  if (!holds_slot(service, instance)) return erase(service, instance);
  auto const& node = nodes_[static_cast<std::size_t>(instance.node)];
  if (reason == Reason::NodeDown) disown(service, instance, reason, "its node is down; its lease has to end first");
  else if (node.answered.test(service.shard.value)) disown(service, instance, reason, "its node does not have it");
}

void Master::drop_instances_of(Node& node, Reason reason) {
  auto const all = instances_on(node);
  for (auto const& [uid, id, slot] : all) {
    auto& service = *find_by_uid(uid);
    auto& instance = *service.find(slot, id);
    instance.ready_since = kNever;
    if (!holds_slot(service, instance)) set_state(service, instance, InstanceState::Lost, reason, {});
    give_up(service, instance, reason);
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

  if (instance->state == InstanceState::Lost) instance->stop_sent = false;  // its node is back with it
  auto const before = instance->state;
  bool const was_ready = instance->is_ready();
  auto const reason_before = instance->reason;
  auto message_before = instance->detail->message;
  instance->state = report.state;
  instance->health = report.health;
  instance->reason = report.reason;
  instance->restarts = report.restarts;
  instance->failures = report.failures;
  see_running(*service, *instance);
  bool const ends_serving = was_ready && !report.ready;
  if (ends_serving && now_.monotonic - instance->ready_since >= service::terms_of(service->head).monitor) instance->has_settled = true;
  if (!report.ready) instance->ready_since = kNever;
  else if (!was_ready) instance->ready_since = now_.monotonic - report.state_ago;
  if (!instance->stop_sent) instance->retry_at = kNever;
  bool const is_new = instance->detail->created_at == Wall{};
  learn_detail(node, report, before, *instance->detail);

  if (auto const kept = service->head.revisions.find(report.revision);
      !report.digest.empty() && kept != service->head.revisions.end() && kept->second.digest.empty()) {
    service->seen_digest = {report.revision, report.digest};
  }
  bool const is_news = before != instance->state || was_ready != instance->is_ready() || reason_before != instance->reason ||
                       message_before != instance->detail->message;
  if (is_news || is_new) changed(*service, *instance, before);
  touch(*service);
  plan_soon(*service);
}

// What only readers want to know.
void Master::learn_detail(Node const& node, model::InstanceReport const& report, InstanceState before, service::Detail& detail) const {
  auto const at = [&](Duration ago) { return std::chrono::floor<std::chrono::milliseconds>(now_.wall - ago); };
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
  if (report.token != 0) detail.token = report.token;
  detail.exit_code = report.exit_code;
}

// An instance of a service that is gone. Of an older era it stays: the store may have been restored from before its creation.
void Master::stop_orphan(Node const& node, model::InstanceReport const& report) {
  auto const shard = shard_of(report.service);
  if (planted(Bug::KeepsOrphans)) return;
  if (!acts_for(shard) || !node.answered.test(shard.value)) {
    if (unclaimed_.size() >= kMostUnclaimed) unclaimed_.erase(unclaimed_.begin());
    unclaimed_[{report.uid, report.id}] = {node.record.id, report};
    return;
  }
  auto const gone = view_.gone.find(report.service);
  bool const was_removed = gone != view_.gone.end() && gone->second.record.uid == report.uid;
  if (report.uid.era != view_.cluster.record.era && !was_removed) {
    note(true, fmt::format(
                   "node {} runs {}.{} of a service that the restored store does not know; it is left alone: remove the container by hand",
                   node.facts.name, report.service, report.slot));
    return;
  }
  if (report.state == InstanceState::Stopping) return;
  command(node, model::StopInstance{
                    {shard, shards_[shard.value].epoch}, report.id, report.uid, report.slot, Reason::ServiceRemoved, report.token});
}

void Master::on_message(Node& node, model::Verdict const& message) {
  auto* service = find_by_uid(message.uid);
  auto* instance = service ? service->find(message.slot, message.id) : nullptr;
  if (!instance || instance->state != InstanceState::Offered || message.admitted) return;
  if (planted(Bug::RefusalIsPlacement)) return set_state(*service, *instance, InstanceState::Preparing, Reason::None, {});
  if (node_ix_.at(node.record.id) != instance->node) return;
  if (holds_slot(*service, *instance)) on_refused_offer(node, *service, *instance, message);
  else take_refusal(node, *service, *instance, message);
}

void Master::on_message(Node& node, model::InstanceGone const& message) {
  auto* service = find_by_uid(message.uid);
  auto* instance = service ? service->find(message.slot, message.id) : nullptr;
  unclaimed_.erase({message.uid, message.id});
  if (!instance) return;
  if (!holds_slot(*service, *instance)) erase(*service, *instance);
  else if (node_ix_.at(node.record.id) == instance->node) on_slot_gone(*service, *instance, message);
}

void Master::on_message(Node& node, model::Beat const& message) {
  node.load = message.load;
  see_load(node);
  if (!node.is_connected) return;
  auto const interval = cluster::beat_interval(view_.nodes.size());
  if (liveness_) {
    liveness_->set_interval(interval);
    liveness_->on_beat(node.record.id, message.incarnation, now_.monotonic, message.echo);
  }
  auto const grant = grant_for(node, message);
  auto const valid_until = now_.monotonic + cluster::kStampAge;
  out_->push_back(
      Send{node.record.id, model::BeatBack{now_.monotonic, interval, grant}, grant ? std::min(valid_until, command_until()) : valid_until});
}

// Whether it owns a slot of that node or none: what ends the lease is that no master at all may say so (protocol.md §7).
std::optional<model::Grant> Master::grant_for(Node const& node, model::Beat const& beat) const {
  if (!may_command() || !node.is_recorded || !node.is_worker() || node.is_down()) return std::nullopt;
  return model::Grant{beat.agent_clock, node.record.incarnation};
}

void Master::on_message(Node& node, model::FactsChanged const& message) {
  bool const came_back = message.facts.engine_up && !node.facts.engine_up;
  bool const went_away = !message.facts.engine_up && node.facts.engine_up;
  node.facts = message.facts;
  see_node(node);
  maintenance_due_ = true;
  if (!came_back && !went_away) return;
  changed({.type = "node.up",
           .node = node.facts.name,
           .reason = went_away ? Reason::EngineAway : Reason::None,
           .message = went_away ? message.facts.engine_message : fmt::format("engine {} answers", message.facts.engine.version)});
  plan_all_soon();
}

void Master::on(AgentLeft const& event) {
  auto& node = node_of(event.node);
  node.is_connected = false;
  if (liveness_) liveness_->left(event.node);
  if (planted(Bug::UnansweredIsLost)) drop_instances_of(node, Reason::NodeDown);
  touch_path(node);
  heard_changed_ = true;
  maintenance_due_ = true;
}

Service* Master::find_by_uid(ServiceUid uid) {
  auto const name = names_.find(uid);
  return name == names_.end() ? nullptr : &services_.at(name->second);
}

}  // namespace davit::master
