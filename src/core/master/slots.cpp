// Slots that must not be doubled (protocol.md §7). Each has a record in the store from before its offer until nothing of it can run
// any more: its agent has said so, refusing the slot's tokens for good, or its node has been down for longer than the lease.
//
// What is to be done follows from the records in the view and from what agents report, so it is the same for whoever owns the shard.
// While a record stands, the table has its instance: as it was reported, or a stand-in.
//
//   free ─claim: record written─→ claimed ─in the view: offered─→ held ─stop, refusal, not listed─→ given back ─gone: record erased─→ free
//                     held ─node down─→ waited out ─lease and 5 s are over: record erased─→ free
//                                            └─node is back─→ held, as its new incarnation | given back
#include <algorithm>

#include <fmt/core.h>

#include "base/planted.hpp"
#include "core/master/master.hpp"

namespace davit::master {

using model::InstanceState;
using model::Reason;

namespace {

constexpr Duration kAskAgain = 5s;
constexpr Duration kRefusedFor = 10s;  // each try costs the store two writes
constexpr Duration kWriteAgain = 1s;
constexpr Duration kDecideAgain = 100ms;
constexpr std::size_t kSlotWritesAtOnce = 256;  // other writes have to get through as well

// Of a node that is seen to be down: its last lease, on a clock that may be slow by a thousandth, and what may pass between a
// master's last grant and this one's sight of the node's end.
constexpr Duration lease_is_over_after(Duration stop_after) { return stop_after + stop_after / 1000 + 5s; }

// As its agent has reported it, not as the owner intends or remembers it.
bool is_reported(Instance const& instance) {
  return instance.state != InstanceState::Pending && instance.state != InstanceState::Offered && instance.state != InstanceState::Lost;
}

}  // namespace

bool Master::is_guarded(Service const& service, std::uint32_t revision) const {
  auto const kept = service.head.revisions.find(revision);
  return kept != service.head.revisions.end() && kept->second.spec->on_isolation == model::OnIsolation::Stop;
}

Kept<model::SlotRecord> const* Master::record_of(Service const& service, std::uint32_t slot) const {
  auto const slots = view_.slots.find(service.head.name);
  if (slots == view_.slots.end()) return nullptr;
  auto const kept = slots->second.find(slot);
  return kept == slots->second.end() ? nullptr : &kept->second;
}

// Also while its record is on its way to the store.
bool Master::holds_slot(Service const& service, Instance const& instance) const {
  if (!shards_[service.shard.value].is_mine) return false;
  auto const* kept = record_of(service, instance.slot);
  if (kept) return kept->record.instance == instance.id;
  auto const work = service.slot_work.find(instance.slot);
  return work != service.slot_work.end() && work->second.is_writing && work->second.instance == instance.id;
}

// A record may come back after it was erased: when a claim that was said twice comes through late, it finds the slot as it wants it. The
// agent has refused its token for good by then, and says so again; until it has, nobody else claims the slot.
bool Master::may_claim(Service const& service, std::uint32_t slot) const {
  auto const work = service.slot_work.find(slot);
  bool const is_writing = work != service.slot_work.end() && work->second.is_writing;
  return !is_writing && !record_of(service, slot) && slot_writes_ < kSlotWritesAtOnce;
}

bool Master::has_slots(Service const& service) const {
  auto const slots = view_.slots.find(service.head.name);
  if (slots != view_.slots.end() && !slots->second.empty()) return true;
  return std::ranges::any_of(service.slot_work, [](auto const& each) { return each.second.is_writing; });
}

// The first words to an agent about the instance, and all later ones, rest on the record of the node's present life.
bool Master::may_confirm(Service const& service, Instance const& instance) const {
  if (instance.detail->rare->token == 0) return true;
  auto const& node = nodes_[static_cast<std::size_t>(instance.node)];
  auto const* kept = record_of(service, instance.slot);
  return kept && kept->record.instance == instance.id && kept->record.node == node.record.id &&
         kept->record.incarnation == node.record.incarnation && node.answered.test(service.shard.value);
}

// ---- from free to held

// The view's revision grows with each record that is written and erased, so each claim of a slot has a higher token than the last.
void Master::claim_slot(Service& service, Instance& instance) {
  auto const& node = nodes_[static_cast<std::size_t>(instance.node)];
  model::SlotRecord record{.service = service.head.name,
                           .slot = instance.slot,
                           .instance = instance.id,
                           .revision = instance.revision,
                           .node = node.record.id,
                           .incarnation = node.record.incarnation,
                           .token = (std::uint64_t{view_.cluster.record.era} << 44) + static_cast<std::uint64_t>(view_.revision) + 1,
                           .stop_after = service.head.revisions.at(instance.revision).spec->stop_after};
  instance.detail->rare.change([&](service::Exceptional& rare) { rare.token = record.token; });
  instance.retry_at = kNever;
  service.slot_work[instance.slot] = {.instance = instance.id};
  write_slot(service, instance.slot, 0, {.puts = {std::move(record)}});
}

// Whatever else it compares: the shard is still held, and the slot is as the view shows it.
void Master::write_slot(Service& service, std::uint32_t slot, std::int64_t mod_revision, Write write) {
  count_order();
  write.compares.push_back(holds_shard(service.shard));
  write.compares.push_back({model::slot_key(service.head.name, slot), Compare::Target::ModRevision, mod_revision});
  service.slot_work[slot].is_writing = true;
  ++slot_writes_;
  submit(SlotWrite{service.head.uid, slot}, std::move(write));
}

void Master::erase_slot(Service& service, Kept<model::SlotRecord> const& kept, std::vector<Compare> compares) {
  write_slot(service, kept.record.slot, kept.mod_revision,
             {.compares = std::move(compares), .erases = {model::slot_key(service.head.name, kept.record.slot)}});
}

void Master::on_applied(SlotWrite const& write, std::int64_t) { on_slot_settled(write, 0s); }
void Master::on_refused(SlotWrite const& write) { on_slot_settled(write, kDecideAgain); }
void Master::on_failed(SlotWrite const& write, Error const& error) {
  on_slot_settled(write, kWriteAgain);
  if (auto const* service = find_by_uid(write.uid)) {
    note(true, fmt::format("slot {} of service {} cannot be recorded: {}; trying again", write.slot, service->head.name, error.message));
  }
}

void Master::on_slot_settled(SlotWrite const& write, Duration delay) {
  --slot_writes_;
  auto* service = find_by_uid(write.uid);
  if (!service) return;
  service->slot_work[write.slot].is_writing = false;
  if (!record_of(*service, write.slot) && service->instances.of_slot(write.slot).empty()) service->slot_work.erase(write.slot);
  plan_at(*service, now_.monotonic + delay);
}

// ---- what the records ask for

// Returns when to look again, if nothing happens before.
Monotonic Master::keep_slots(Service& service) {
  auto at = kNever;
  auto const slots = view_.slots.find(service.head.name);
  if (slots == view_.slots.end() && service.slot_work.empty() && !is_guarded(service, service.head.revision)) return at;
  if (slots != view_.slots.end()) {
    for (auto const& [slot, kept] : slots->second) {
      if (orders_left_ == 0) return now_.monotonic;
      if (slot_writes_ >= kSlotWritesAtOnce) return now_.monotonic + kDecideAgain;
      at = std::min(at, keep_slot(service, kept));
    }
  }
  free_instances(service);
  return at;
}

Monotonic Master::keep_slot(Service& service, Kept<model::SlotRecord> const& kept) {
  auto const& record = kept.record;
  auto& work = service.slot_work[record.slot];
  if (work.is_writing) return kNever;
  auto& instance = instance_of(service, record);
  if (work.gone >= record.token) return erase_slot(service, kept), kNever;
  auto const ix = node_ix_.find(record.node);
  auto const* node = ix == node_ix_.end() ? nullptr : &nodes_[static_cast<std::size_t>(ix->second)];
  if (!node || !node->is_recorded || node->is_down()) return wait_out(service, kept, node);
  work.lost_at = kNever;
  if (instance.stop_sent && instance.retry_at == kNever && !planted(Bug::StopsOnce)) instance.retry_at = now_.monotonic;
  // When the record was first seen nobody knew the node; or the claim was given up before it came through after all.
  bool const is_elsewhere = instance.node != ix->second || instance.detail->rare->token != record.token;
  if (instance.node == kNoNode || (instance.state == InstanceState::Pending && is_elsewhere)) {
    set_node(service, instance, ix->second);
    instance.detail->rare.change([&](service::Exceptional& rare) { rare.token = record.token; });
    instance.retry_at = now_.monotonic;
  }
  if (instance.stop_sent || !node->answered.test(service.shard.value)) return kNever;
  if (is_reported(instance) && record.incarnation != node->record.incarnation) {
    auto renewed = record;
    renewed.incarnation = node->record.incarnation;
    write_slot(service, record.slot, kept.mod_revision, {.puts = {std::move(renewed)}});
    return kNever;
  }
  if (instance.state != InstanceState::Pending) return kNever;
  if (record.incarnation != node->record.incarnation) {
    disown(service, instance, Reason::None, "its node has begun another life");
    return kNever;
  }
  if (work.is_withdrawn) return ask_back(service, instance);
  send_offer(service, instance);
  return instance.retry_at;
}

// Of a record that another one wrote, and whose agent has not reported it: it may run, as long as that agent has not been heard.
Instance& Master::instance_of(Service& service, model::SlotRecord const& record) {
  if (auto* known = service.find(record.slot, record.instance)) return *known;
  Instance stand_in;
  stand_in.id = record.instance;
  stand_in.slot = record.slot;
  stand_in.revision = record.revision;
  stand_in.created = now_.monotonic;
  stand_in.state = InstanceState::Offered;
  stand_in.detail->rare.change([&](service::Exceptional& rare) { rare.token = record.token; });
  stand_in.detail->created_at = stand_in.detail->state_since = now_.wall;
  auto& instance = service.instances.insert(std::move(stand_in));
  touch(service);
  auto const ix = node_ix_.find(record.node);
  if (ix == node_ix_.end()) {
    disown(service, instance, Reason::NodeDown, "its node is not known any more; its lease has to end first");
    return instance;
  }
  set_node(service, instance, ix->second);
  auto const& node = nodes_[static_cast<std::size_t>(ix->second)];
  if (node.is_down()) disown(service, instance, Reason::NodeDown, "its node is down; its lease has to end first");
  else if (node.answered.test(service.shard.value)) disown(service, instance, Reason::None, "its node does not have it");
  return instance;
}

// The end of its lease is waited for, since nobody can say what becomes of it. A return of the node ends the wait: the write that
// frees the slot holds only for the life that is over.
Monotonic Master::wait_out(Service& service, Kept<model::SlotRecord> const& kept, Node const* node) {
  auto& lost_at = service.slot_work[kept.record.slot].lost_at;
  bool const was_seen_down = node && node->downed_at != kNever;
  if (!was_seen_down) lost_at = std::min(lost_at, now_.monotonic);
  auto const over_at = (was_seen_down ? node->downed_at : lost_at) + lease_is_over_after(kept.record.stop_after);
  if (now_.monotonic < over_at && !planted(Bug::WaitsNotAfterDown)) return over_at;
  auto const recorded = view_.nodes.find(kept.record.node);
  erase_slot(service, kept,
             {{model::node_key(kept.record.node), Compare::Target::ModRevision,
               recorded == view_.nodes.end() ? 0 : recorded->second.mod_revision}});
  return kNever;
}

// Instances with a token whose slot is not theirs (any more).
void Master::free_instances(Service& service) {
  std::vector<std::pair<std::uint32_t, InstanceId>> over;
  for (auto& instance : service.instances) {
    if (instance.detail->rare->token == 0 || holds_slot(service, instance)) continue;
    bool const is_known = instance.node != kNoNode && nodes_[static_cast<std::size_t>(instance.node)].answered.test(service.shard.value);
    if (is_reported(instance)) {
      if (!instance.stop_sent && is_known) order_stop(service, instance, Reason::Replaced);
    } else if (instance.state == InstanceState::Pending && !instance.stop_sent) {
      set_node(service, instance, kNoNode);  // refused, or its claim was: another try
      instance.detail->rare.change([](service::Exceptional& rare) { rare.token = 0; });
      instance.retry_at = now_.monotonic;
    } else {
      over.emplace_back(instance.slot, instance.id);
    }
  }
  for (auto const& [slot, id] : over) erase(service, *service.find(slot, id));
}

// ---- from held to given back

// Its agent does not speak for it any more: the slot is asked back, or the end of its lease is waited for.
void Master::disown(Service& service, Instance& instance, Reason reason, std::string message) {
  instance.stop_sent = true;
  instance.ready_since = kNever;
  instance.retry_at = now_.monotonic;
  set_state(service, instance, InstanceState::Lost, reason, std::move(message));
  plan_soon(service);
}

// An agent that has refused an offer may still receive it a second time.
void Master::on_refused_offer(Node const& node, Service& service, Instance& instance, model::Verdict const& verdict) {
  service.slot_work[instance.slot].is_withdrawn = true;
  service.slot_work[instance.slot].ask_at = now_.monotonic;
  plan_soon(service);
  if (instance.stop_sent) return;
  instance.retry_at = kNever;
  service.placing.refusals[instance.id].push_back({index_of(node), now_.monotonic + kRefusedFor, verdict.reason, verdict.message});
  set_state(service, instance, InstanceState::Pending, verdict.reason, verdict.message);
}

Monotonic Master::ask_back(Service& service, Instance const& instance) {
  auto& ask_at = service.slot_work[instance.slot].ask_at;
  if (ask_at > now_.monotonic) return ask_at;
  ask_at = now_.monotonic + kAskAgain;
  send_stop(service, instance, Reason::None);
  return ask_at;
}

// The agent refuses the slot's tokens up to this one for good.
void Master::on_slot_gone(Service& service, Instance& instance, model::InstanceGone const& message) {
  service.slot_work[instance.slot].gone = message.token;
  bool const waits_for_another_node = instance.state == InstanceState::Pending && !instance.stop_sent;
  if (!waits_for_another_node) {
    instance.state = InstanceState::Lost;
    instance.stop_sent = true;
    instance.ready_since = instance.retry_at = kNever;
  }
  touch(service);
  plan_soon(service);
}

}  // namespace davit::master
