// What agents say, and the master's table of instances and nodes that follows from it.
#include <algorithm>

#include <fmt/core.h>

#include "base/check.hpp"
#include "base/planted.hpp"
#include "core/cluster/clocks.hpp"
#include "core/master/master.hpp"
#include "core/service/terms.hpp"

namespace davit::master {

using model::InstanceState;
using model::Reason;

namespace {
constexpr std::size_t kMostUnclaimed = 10'000;
constexpr Duration kLateBeat = 500ms;
constexpr Duration kConfirmWait = 1s;  // after something was dropped
constexpr Duration kLongestConfirmWait = 1min;

// Master::begin_session names them so.
bool is_session_of(std::string_view session, std::string_view process) {
  return session.size() > process.size() && session.starts_with(process) && session[process.size()] == '.';
}

constexpr std::string_view kSetTheClock =
    "let both take the time from NTP (timedatectl set-ntp true), else times in events and logs mislead, and certificates may not be "
    "accepted";

// Or is about to be. The name of one that is down is free.
bool is_called(Node const& node, std::string const& name) {
  if (node.is_recorded) return !node.is_down() && node.record.name == name;
  return node.is_connected && node.facts.name == name;
}

std::string words_for(Duration difference) {
  return format_duration(std::chrono::round<std::chrono::seconds>(std::chrono::abs(difference)));
}
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
  bool const is_of_the_node =
      std::holds_alternative<model::FactsChanged>(event.message) || std::holds_alternative<model::AgentHello>(event.message) ||
      std::holds_alternative<model::Beat>(event.message) || std::holds_alternative<model::FollowDirectory>(event.message);
  if (is_of_the_node || node.path.kind == Path::Kind::Direct) hear(node, event.message);
}

// Before it has told everything, single changes would read as all there is.
void Master::hear(Node& node, model::ToMaster const& message) {
  bool const is_change = std::holds_alternative<model::InstanceChanged>(message) || std::holds_alternative<model::InstanceGone>(message) ||
                         std::holds_alternative<model::Verdict>(message) || std::holds_alternative<model::InstancesMeasured>(message);
  if (is_change && (!node.has_reported || node.is_down())) return;
  std::visit([&](auto const& each) { on_message(node, each); }, message);
}

void Master::on_message(Node& node, model::AgentHello const& message) {
  bool const was_connected = std::exchange(node.is_connected, true);
  if (node.facts.address != message.facts.address) see_ways_to(node);
  node.facts = message.facts;
  see_life(node, message.incarnation);
  if (node.path.kind == Path::Kind::Relayed) send_peer(node.path.peer, model::Subscribe{node.record.id, false});
  node.path = {};  // a new connection: what was said on the last one may be lost
  await_answer(node);
  if (liveness_) liveness_->connected(node.record.id, node.record.incarnation, now_.monotonic);
  if (!was_connected) changed({.type = "node.up", .node = node.facts.name});
  heard_changed_ = true;
  maintenance_due_ = true;
}

void Master::see_life(Node& node, std::uint64_t life) { node.known_life = std::max(node.known_life.value_or(0), life); }

Status Master::admit(Applicant const& applicant) const {
  TRY_VOID(check_cluster(applicant.cluster));
  if (auto const& rival = applicant.rival; rival && rival->silent_for < 2 * cluster::beat_interval(view_.nodes.size()) + kLateBeat) {
    if (rival->is_itself) return fail(Code::Exists, {});
    return fail(Code::Exists, fmt::format("node {} with id {} is connected from {} as well: a data directory belongs to one node; give the "
                                          "copy an empty --data-dir and a --node name of its own",
                                          rival->name, to_string(applicant.id), rival->address));
  }
  for (auto const& other : nodes_) {
    if (other.record.id == applicant.id || !is_called(other, applicant.name)) continue;
    return fail(Code::Exists, fmt::format("the name {} belongs to node {} at {}, which is {}: give this one another --node name",
                                          applicant.name, to_string(other.record.id), other.facts.address,
                                          other.is_recorded ? model::to_string(other.record.status) : "about to join"));
  }
  return {};
}

// The key of an earlier session of the same master goes within moments; that of another process stays.
Status Master::admit_peer(Applicant const& applicant) const {
  TRY_VOID(check_cluster(applicant.cluster));
  auto const known = view_.masters.find(applicant.id);
  if (known == view_.masters.end() || is_session_of(known->second.record.session, applicant.process)) return {};
  return fail(Code::Unavailable,
              fmt::format("another process is master {} at {}", known->second.record.name, known->second.record.address));
}

Status Master::check_cluster(ClusterId cluster) const {
  if (view_.cluster.mod_revision == 0) return fail(Code::Unavailable, "this master has not read the store yet");
  auto const own = view_.cluster.record.uid;
  if (!cluster || cluster == own) return {};
  return fail(Code::Invalid,
              fmt::format("it belongs to cluster {}, and this is cluster {}: send it to masters of its own, or give it an empty "
                          "--data-dir, and it joins as a new node",
                          to_string(cluster), to_string(own)));
}

void Master::welcome(Node const& node) {
  if (view_.cluster.mod_revision == 0) return;
  auto const& cluster = view_.cluster.record;
  model::Welcome message{.cluster = cluster.uid,
                         .incarnation = node.is_recorded ? node.record.incarnation : 0,
                         .masters = addresses_,
                         .as_of = {cluster.era, view_.revision}};
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
  if (message.round == node.last_round) {
    node.fence_at = is_all_fenced ? kNever : now_.monotonic + 1s;
    touch_path(node);
  }
  drop_instances_not_in(node, message);
  for (auto const& report : message.all) {
    merge(node, report);
    auto* service = find_by_uid(report.uid);
    auto* instance = service && answered.test(service->shard.value) ? service->find(report.slot, report.id) : nullptr;
    if (!instance) continue;
    instance->is_confirmed = false;
    if (instance->stop_sent && !planted(Bug::StopsOnce)) instance->retry_at = now_.monotonic;  // it obeys from now on
  }
  node.unheard_since = kNever;
  if (is_first || answered.any()) plan_all_soon();
}

void Master::drop_instances_not_in(Node& node, model::FencesStored const& message) {
  std::set<InstanceId> listed;
  for (auto const& report : message.all) listed.insert(report.id);
  std::erase_if(unclaimed_, [&](auto const& each) { return each.second.node == node.record.id && !listed.contains(each.first.second); });
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
  std::erase_if(unclaimed_, [&](auto const& each) { return each.second.node == node.record.id; });
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
  if (!service) return see_orphan(node, report);
  auto* instance = service->find(report.slot, report.id);
  if (!instance) {
    Instance found;
    found.id = report.id;
    found.slot = report.slot;
    found.revision = report.revision;
    found.created = now_.monotonic - report.created_ago;
    found.is_starting = service::is_on_its_way(report.state);
    instance = &service->instances.insert(std::move(found));
  }
  if (auto const ix = index_of(node); instance->node != ix) set_node(*service, *instance, ix);

  if (instance->state == InstanceState::Lost) instance->stop_sent = false;  // its node is back with it
  auto const before = instance->state;
  bool const was_ready = instance->is_ready();
  auto const reason_before = instance->reason;
  bool const has_other_message = instance->detail->rare->message != report.message;
  instance->state = report.state;
  instance->health = report.health;
  instance->reason = report.reason;
  instance->restarts = report.restarts;
  instance->failures = report.failures;
  see_running(*service, *instance);
  see_serving(node, *service, *instance, report);
  if (!instance->stop_sent) instance->retry_at = kNever;
  bool const is_new = instance->detail->created_at == Wall{};
  learn_detail(node, report, before, *instance->detail);
  if (instance->state != InstanceState::Running) see_use(*service, *instance, std::nullopt);  // what runs next is measured anew

  if (auto const kept = service->head.revisions.find(report.revision);
      !report.digest.empty() && kept != service->head.revisions.end() && kept->second.digest.empty()) {
    service->seen_digest = {report.revision, report.digest};
  }
  bool const is_news =
      before != instance->state || was_ready != instance->is_ready() || reason_before != instance->reason || has_other_message;
  if (is_news || is_new) changed(*service, *instance, before);
  touch(*service);
  plan_soon(*service);
}

// Since when it is ready, and whether it has served for `monitor`.
void Master::see_serving(Node const& node, Service const& service, Instance& instance, model::InstanceReport const& report) const {
  auto const monitor = service::terms_of(service.head).monitor;
  bool const ends = instance.is_ready() && !report.ready;
  auto const ran = ends ? std::min(now_.monotonic, node.unheard_since) - instance.ready_since : Duration::zero();
  // Of one that it has found its agent does not know for how long it had served.
  auto const served = std::max(report.served_for, report.was_found ? ran : Duration::zero());
  if (served > Duration::zero() && served >= monitor && !instance.has_settled()) {
    auto const settled_at = ends && ran >= monitor ? instance.ready_since + monitor : now_.monotonic;  // now, at the latest
    instance.detail->rare.change([&](service::Exceptional& rare) { rare.settled_at = settled_at; });
  }
  bool const ends_settled = ends && ran >= monitor;  // a shorter run of one that had settled gives it no more time
  bool const has_ended_unseen = instance.has_settled() && !report.ready && instance.detail->rare->served_until == Monotonic::min();
  if (ends_settled || has_ended_unseen)
    instance.detail->rare.change([&](service::Exceptional& rare) { rare.served_until = now_.monotonic; });

  if (!report.ready) instance.ready_since = kNever;
  else if (instance.ready_since == kNever || instance.detail->container.id() != report.container.id)
    instance.ready_since = now_.monotonic - report.ready_ago;
}

// What only readers want to know.
void Master::learn_detail(Node const& node, model::InstanceReport const& report, InstanceState before, service::Detail& detail) const {
  auto const at = [&](Duration ago) { return std::chrono::floor<std::chrono::milliseconds>(now_.wall - ago); };
  // The agent's clock runs on between two reports: a time that was known stays as it was first told.
  bool const is_new = detail.created_at == Wall{};
  if (is_new) detail.created_at = at(report.created_ago);
  if (is_new || before != report.state) detail.state_since = at(report.state_ago);
  service::PackedContainer container(report.container);
  bool const is_same_start = before == report.state && detail.started_at && report.started_ago && detail.container.id() == container.id();
  if (!is_same_start) detail.started_at = report.started_ago ? std::optional(at(*report.started_ago)) : std::nullopt;
  detail.container = std::move(container);
  detail.ports = report.ports;
  for (auto& port : detail.ports) {
    if (port.address.empty() || port.address == "0.0.0.0" || port.address == "::") port.address = node.facts.address;
  }
  detail.rare.change([&](service::Exceptional& rare) {
    rare.message = report.message;
    rare.previous_container = report.previous_container;
    rare.exit_code = report.exit_code;
    rare.next_start_at = report.next_start_in ? std::optional(at(-*report.next_start_in)) : std::nullopt;
    if (report.token != 0) rare.token = report.token;
  });
}

// An instance of a service that the view does not show: not yet, or not any more.
void Master::see_orphan(Node const& node, model::InstanceReport const& report) {
  auto const known = unclaimed_.find({report.uid, report.id});
  if (known == unclaimed_.end() && unclaimed_.size() >= kMostUnclaimed) unclaimed_.erase(unclaimed_.begin());
  auto& orphan = unclaimed_[{report.uid, report.id}];
  orphan.node = node.record.id;
  orphan.report = report;
  stop_orphan(orphan);
}

// What could not be said yet, because this master was not fresh or the agent had not answered it, or what was lost on the way.
void Master::stop_orphans() {
  for (auto& [key, orphan] : unclaimed_) {
    if (orphan.stop_at <= now_.monotonic) stop_orphan(orphan);
  }
}

// Of an older era it stays: the store may have been restored from before the service's creation.
void Master::stop_orphan(Unclaimed& orphan) {
  auto const& report = orphan.report;
  auto const& node = node_of(orphan.node);
  auto const shard = shard_of(report.service);
  if (planted(Bug::KeepsOrphans) || !acts_for(shard) || !node.answered.test(shard.value)) return;
  auto const gone = view_.gone.find(report.service);
  bool const was_removed = gone != view_.gone.end() && gone->second.record.uid == report.uid;
  if (report.uid.era != view_.cluster.record.era && !was_removed) {
    note(true, fmt::format(
                   "node {} runs {}.{} of a service that the restored store does not know; it is left alone: remove the container by hand",
                   node.facts.name, report.service, report.slot));
    orphan.stop_at = kNever;
    return;
  }
  if (report.state == InstanceState::Stopping) return;
  orphan.stop_at = now_.monotonic + kStopRetry;
  command(node, model::StopInstance{
                    {shard, shards_[shard.value].epoch}, report.id, report.uid, report.slot, Reason::ServiceRemoved, report.token});
}

void Master::on_message(Node& node, model::Verdict const& message) {
  auto* service = find_by_uid(message.uid);
  auto* instance = service ? service->find(message.slot, message.id) : nullptr;
  if (!instance || instance->state != InstanceState::Offered || message.admitted) return;
  if (planted(Bug::RefusalIsPlacement)) return set_state(*service, *instance, InstanceState::Preparing, Reason::None, {});
  if (index_of(node) != instance->node) return;
  if (holds_slot(*service, *instance)) on_refused_offer(node, *service, *instance, message);
  else take_refusal(node, *service, *instance, message);
}

void Master::on_message(Node& node, model::InstanceGone const& message) {
  auto* service = find_by_uid(message.uid);
  auto* instance = service ? service->find(message.slot, message.id) : nullptr;
  unclaimed_.erase({message.uid, message.id});
  if (!instance || message.token < instance->detail->rare->token) return;  // the latter: said of an earlier offer
  if (!holds_slot(*service, *instance)) erase(*service, *instance);
  else if (index_of(node) == instance->node) on_slot_gone(*service, *instance, message);
}

void Master::on_message(Node& node, model::Beat const& message) {
  node.load = message.load;
  see_load(node);
  if (!node.is_connected) return;
  auto const interval = cluster::beat_interval(view_.nodes.size());
  if (liveness_) {
    liveness_->set_interval(interval);
    bool const is_heard = liveness_->on_beat(node.record.id, message.incarnation, now_.monotonic, message.echo);
    if (is_heard && message.wall != Wall{}) see_clock(node, message);
  }
  auto const grant = grant_for(node, message);
  auto const valid_until = now_.monotonic + cluster::kStampAge;
  out_->push_back(
      Send{node.record.id, model::BeatBack{now_.monotonic, interval, grant}, grant ? std::min(valid_until, command_until()) : valid_until});
}

// Told when it changes, not with every beat.
void Master::see_clock(Node& node, model::Beat const& beat) {
  auto difference = cluster::clock_difference(beat.wall, now_, beat.echo);
  if (cluster::do_clocks_agree(difference)) difference = {};
  bool const was_told = cluster::do_clocks_agree(difference - node.clock_difference);
  bool const is_right_again = difference == Duration{} && node.clock_difference != Duration{};
  if (was_told && !is_right_again) return;
  node.clock_difference = difference;
  node.clock_warning.clear();
  if (is_right_again) note(false, fmt::format("the clock of node {} agrees with this master's again", node.facts.name));
  else {
    node.clock_warning = fmt::format("the clock of node {} is {} {} that of master {}: {}", node.facts.name, words_for(difference),
                                     difference > Duration{} ? "ahead of" : "behind", options_.name, kSetTheClock);
    note(true, node.clock_warning);
  }
  clocks_changed_ = maintenance_due_ = true;
}

// One against most of the others: it is likelier the one that is wrong.
void Master::judge_own_clock() {
  if (!std::exchange(clocks_changed_, false)) return;
  std::ptrdiff_t heard = 0;
  std::ptrdiff_t ahead = 0;
  std::ptrdiff_t behind = 0;
  for (auto const& node : nodes_) {
    if (!node.is_connected) continue;
    ++heard;
    ahead += node.clock_difference > Duration{} ? 1 : 0;
    behind += node.clock_difference < Duration{} ? 1 : 0;
  }
  auto const against = std::max(ahead, behind);
  bool const is_wrong = against > 1 && against * 2 > heard;
  if (!std::exchange(is_own_clock_wrong_, is_wrong) && is_wrong) {
    note(true, fmt::format("the clocks of {} of {} nodes are all {} this master's: it is likely that of {} that is wrong: {}", against,
                           heard, ahead > behind ? "ahead of" : "behind", options_.name, kSetTheClock));
  }
}

// Whether it owns a slot of that node or none: what ends the lease is that no master at all may say so (protocol.md §7).
std::optional<model::Grant> Master::grant_for(Node const& node, model::Beat const& beat) const {
  if (!may_command() || !node.is_recorded || !node.is_worker() || node.is_down()) return std::nullopt;
  return model::Grant{beat.agent_clock, node.record.incarnation};
}

void Master::on_message(Node& node, model::FactsChanged const& message) {
  bool const came_back = message.facts.engine_up && !node.facts.engine_up;
  bool const went_away = !message.facts.engine_up && node.facts.engine_up;
  if (node.facts.address != message.facts.address) see_ways_to(node);
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

void Master::on_message(Node& node, model::InstancesMeasured const& message) {
  auto const ix = index_of(node);
  for (auto const& each : message.some) {
    auto* service = find_by_uid(each.uid);
    auto* instance = service ? service->find(each.slot, each.id) : nullptr;
    bool const is_here = instance && instance->node == ix && instance->state == InstanceState::Running;
    if (!is_here) continue;
    see_use(*service, *instance, each.use);
    see_mean(*service);
  }
}

void Master::on(AgentLeft const& event) {
  auto& node = node_of(event.node);
  node.is_connected = false;
  stop_telling(event.node);
  if (liveness_ && node.is_recorded) liveness_->left(event.node);
  else if (liveness_) liveness_->forget(event.node);
  if (planted(Bug::UnansweredIsLost)) drop_instances_of(node, Reason::NodeDown);
  touch_path(node);
  heard_changed_ = true;
  maintenance_due_ = true;
}

void Master::on(DroppedForAgent const& event) {
  auto& node = node_of(event.node);
  if (node.path.kind == Path::Kind::Direct) confirm_again(node);
  for (auto const peer : node.subscribers) send_peer(peer, model::RelayDropped{event.node});
}

// Offers, stops and fences are said again until they are answered, a fence of many late; that an instance goes on is said once. On a
// connection that bears no more it is not said each second.
void Master::confirm_again(Node& node) {
  if (now_.monotonic >= node.confirm_at) {
    bool const goes_on = now_.monotonic < node.confirm_at + 2 * node.confirm_wait;
    node.confirm_wait = goes_on ? std::min(2 * node.confirm_wait, kLongestConfirmWait) : kConfirmWait;
    node.confirm_at = now_.monotonic + node.confirm_wait;
  }
  if (!node.is_fenced) {
    node.fence_at = std::min(node.fence_at, node.confirm_at);
    touch_path(node);
  }
  for (auto const& [uid, id, slot] : instances_on(node)) {
    auto& service = *find_by_uid(uid);
    if (!shards_[service.shard.value].is_mine) continue;
    service.find(slot, id)->is_confirmed = false;
    plan_at(service, node.confirm_at);
  }
}

Service* Master::find_by_uid(ServiceUid uid) {
  auto const name = names_.find(uid);
  return name == names_.end() ? nullptr : &services_.at(name->second);
}

}  // namespace davit::master
