// Which node gets an instance: what the index of nodes is told, what it is asked, and what follows when it finds none.
#include <algorithm>
#include <cmath>

#include <fmt/core.h>

#include "base/check.hpp"
#include "base/planted.hpp"
#include "core/master/master.hpp"
#include "core/service/draft.hpp"

namespace davit::master {

using model::InstanceState;
using model::Reason;

namespace {

constexpr Duration kRefusedFor = 2s;
constexpr std::size_t kMostAvoided = 2;  // so that three nodes are tried
constexpr Duration kLeastAvoided = 1min;
constexpr Duration kClaimAgain = 100ms;
constexpr Duration kMeanStays = 30s;
constexpr std::size_t kMostStale = 64;

// The mean of what is measured. No container is free, however little it does.
placement::Amount mean_of(Usage const& usage) {
  constexpr placement::Amount kLeast{10'000, std::int64_t{16} << 20};
  auto const count = std::int64_t{usage.instances};
  return {std::max(kLeast.microcores, static_cast<std::int64_t>(usage.millicores) * 1000 / count),
          std::max(kLeast.memory, static_cast<std::int64_t>(usage.memory_kib) * 1024 / count)};
}

bool is_other(std::int64_t a, std::int64_t b) { return std::max(a, b) - std::min(a, b) > std::min(a, b) / 4; }

// What keeps it waiting keeps others of its service waiting as well.
bool is_like_others(placement::Search const& search) { return search.only == kNoNode && search.refusals.empty(); }

}  // namespace

// ---- what the index is told

void Master::see_node(Node const& node) {
  auto const& name = node.is_recorded ? node.record.name : node.facts.name;
  auto const& engine = node.facts.engine;
  placement_.set_node(index_of(node),
                      {.id = node.record.id,
                       .name = name,
                       .roles = node.is_recorded ? node.record.roles : node.facts.roles,
                       .labels = node.labels(),
                       .platform = engine.platform},
                      {.is_member = node.is_recorded || node.is_connected,
                       .status = node.record.status,
                       .availability = node.record.availability,
                       .engine_up = node.facts.engine_up,
                       .has_answered = node.is_fenced,
                       .capacity = model::amount_of(engine.cpus, engine.memory)});
}

// A machine that uses no memory was not measured yet.
void Master::see_load(Node const& node) {
  auto const& load = node.load;
  std::optional<placement::Measured> measured;
  if (load.memory_used.count > 0) {
    measured = {.used = model::amount_of(load.cpus_used, load.memory_used),
                .load = std::llround(load.load_1m * 1e6),
                .memory_pressure = load.pressure ? load.pressure->memory : 0};
  }
  placement_.set_measured(index_of(node), measured);
}

void Master::see_spec(Service& service) {
  auto& placing = service.placing;
  if (placing.from == service.head.spec()) return;
  placing.from = service.head.spec();
  placing.request = placement::request_of(*placing.from, placing.mean);
  placing.shortfall_version.reset();
  touch_all(claims_.put(service.head.name, service.head.uid, *placing.from));
}

// From its next beat on the node's load has the instance in it, and its volume is where it runs.
void Master::see_running(Service& service, Instance& instance) {
  if (instance.is_starting && !service::is_on_its_way(instance.state)) {
    instance.is_starting = false;
    placement_.on_running(instance.node, request_by(service.placing, instance.detail->accounted));
    service.placing.refusals.erase(instance.id);
  }
  see_home(service, instance);
}

// Of a revision that is not kept any more nobody knows whether it had a volume; of one that is yet to be known (see_revisions) it is told
// soon.
void Master::see_home(Service& service, Instance const& instance) {
  bool const has_container = instance.state == InstanceState::Starting || instance.state == InstanceState::Running;
  if (!has_container || instance.stop_sent || instance.revision > service.head.last_revision) return;
  auto const kept = service.head.revisions.find(instance.revision);
  bool const is_forgotten = kept == service.head.revisions.end();
  if (is_forgotten ? service.placing.request.keeps_node : model::has_node_volume(*kept->second.spec))
    service.placing.homes[instance.slot] = instance.node;
}

void Master::see_use(Service& service, Instance& instance, std::optional<model::InstanceUse> use) {
  auto& usage = service.usage;
  auto& known = instance.detail->use;
  if (known) usage.millicores -= known->millicores, usage.memory_kib -= known->memory_kib, --usage.instances;
  if (use) usage.millicores += use->millicores, usage.memory_kib += use->memory_kib, ++usage.instances;
  known = use;
}

// All instances are counted anew, so only when the mean is quite another one, and not all the time.
void Master::see_mean(Service& service) {
  auto& placing = service.placing;
  if (service.usage.instances == 0 || now_.monotonic < placing.mean_at) return;
  auto const mean = mean_of(service.usage);
  if (!is_other(mean.microcores, placing.mean.microcores) && !is_other(mean.memory, placing.mean.memory)) return;
  placing.mean_at = now_.monotonic + kMeanStays;
  auto const count_all = [&](auto const& count) {
    for (auto const& instance : service.instances) {
      if (instance.node != kNoNode) count(instance, request_by(placing, instance.detail->accounted));
    }
  };
  count_all([&](Instance const& each, placement::Request const& by) { placement_.remove(each.node, by, each.is_starting); });
  placing.mean = mean;
  placing.request = placement::request_of(*placing.from, mean);
  count_all([&](Instance const& each, placement::Request const& by) { placement_.add(each.node, by, each.is_starting); });
}

// An instance counts on its node by the spec that it had when it came there; by none if that is not kept any more.
void Master::account(Service& service, Instance& instance, int sign) {
  if (instance.node == kNoNode) return;
  static model::SpecRef const kForgotten = std::make_shared<model::ServiceSpec const>();
  auto& node = nodes_[static_cast<std::size_t>(instance.node)];
  auto& accounted = instance.detail->accounted;
  node.instances += sign;
  located_ += sign;
  if (sign > 0) {
    node.located.push_back({service.head.uid, instance.id, instance.slot});
    if (node.located.size() > kMostStale + 2 * static_cast<std::size_t>(node.instances)) node.located = instances_on(node);
    auto const kept = service.head.revisions.find(instance.revision);
    accounted = kept == service.head.revisions.end() ? kForgotten : kept->second.spec;
    service.placing.tally.add(instance.node);
    placement_.add(instance.node, request_by(service.placing, accounted), instance.is_starting);
  } else {
    service.placing.tally.remove(instance.node);
    placement_.remove(instance.node, request_by(service.placing, accounted), instance.is_starting);
    instance.is_starting = false;
    accounted.reset();
  }
  auto const& reserved = placement_.room(instance.node).reserved;
  node.reserved = {model::cores(reserved.microcores), {reserved.memory}};
}

// Agents may have told of an instance before the journal told this master of its revision: then it counted for nothing, and
// had no home.
void Master::see_revisions(Service& service, model::Head const& before) {
  for (auto& instance : service.instances) {
    auto const revision = instance.revision;
    if (instance.node == kNoNode || before.revisions.contains(revision) || !service.head.revisions.contains(revision)) continue;
    bool const is_starting = instance.is_starting;
    account(service, instance, -1);
    instance.is_starting = is_starting;
    account(service, instance, +1);
    see_home(service, instance);
  }
}

// ---- what it is asked

NodeIx Master::home_of(Service const& service, std::uint32_t slot, placement::Request const& request) const {
  auto const home = service.placing.homes.find(slot);
  if (!request.keeps_node || home == service.placing.homes.end()) return kNoNode;
  bool const is_member = placement_.room(home->second).condition.is_member;  // else the volume has gone with the node
  return is_member ? home->second : kNoNode;
}

NodeIx Master::only_node_for(Service const& service, std::uint32_t slot, placement::Request const& request) const {
  auto const move = service.placing.moves.find(slot);
  return move == service.placing.moves.end() ? home_of(service, slot, request) : move->second.to;
}

placement::Request const& Master::request_of(Service const& service, Instance const& instance,
                                             std::optional<placement::Request>& own) const {
  auto const kept = service.head.revisions.find(instance.revision);
  if (instance.revision == service.head.revision || kept == service.head.revisions.end()) return service.placing.request;
  return own.emplace(request_by(service.placing, kept->second.spec));
}

placement::Search Master::search_for(Service const& service, Instance const& instance, placement::Request const& request) const {
  auto const& placing = service.placing;
  auto const refusals = placing.refusals.find(instance.id);
  return {.service = service.head.uid,
          .request = request,
          .tally = placing.tally,
          .only = only_node_for(service, instance.slot, request),
          .refusals = refusals == placing.refusals.end() ? std::span<placement::Refusal const>() : refusals->second};
}

// Beside another one of its slot, unless that has ended for good, it would write to the same volume.
bool Master::is_volume_in_use(Service const& service, Instance const& instance) const {
  using enum model::RestartCondition;
  auto const kept = service.head.revisions.find(instance.revision);
  if (kept == service.head.revisions.end() || !model::has_node_volume(*kept->second.spec)) return false;
  auto const condition = service.head.spec()->restart_policy.condition;
  return std::ranges::any_of(service.instances.of_slot(instance.slot), [&](Instance const& each) {
    bool const has_failed = each.state == InstanceState::Failed && condition == None;
    bool const has_ended = each.state == InstanceState::Exited && condition != Any;
    return each.node != kNoNode && !has_failed && !has_ended;
  });
}

void Master::offer(Service& service, Instance& instance) {
  if (holds_slot(service, instance)) return;  // its record leads to the offer
  if (is_volume_in_use(service, instance)) {  // tried again when that one has left, or has ended
    instance.retry_at = now_.monotonic + kPendingRetry;
    instance.lacks_room = false;
    return set_state(service, instance, InstanceState::Pending, Reason::NoNodeFits,
                     "another instance of its slot is still at its volume; it starts when that has ended");
  }
  if (is_guarded(service, instance.revision) && !may_claim(service, instance.slot)) {
    instance.retry_at = now_.monotonic + kClaimAgain;
    return;
  }
  if (auto const known = service.placing.refusals.find(instance.id); known != service.placing.refusals.end()) {
    std::erase_if(known->second, [&](placement::Refusal const& each) { return each.until <= now_.monotonic; });
    if (known->second.empty()) service.placing.refusals.erase(known);
  }
  std::optional<placement::Request> own;
  auto const& request = request_of(service, instance, own);
  auto const search = search_for(service, instance, request);
  if (!own && is_like_others(search) && service.placing.shortfall_version == placement_.version())
    return keep_waiting(service, instance, search);
  count_order();
  auto chosen = placement_.choose(search);
  if (auto const avoided = chosen ? decltype(service.placing.avoided)::node_type() : service.placing.avoided.extract(instance.slot)) {
    std::erase_if(service.placing.refusals[instance.id], [&](placement::Refusal const& each) {
      return std::ranges::any_of(avoided.mapped(), [&](auto const& other) { return other.node == each.node && other.until == each.until; });
    });
    chosen = placement_.choose(search_for(service, instance, request));
  }
  if (!chosen) return keep_waiting(service, instance, search_for(service, instance, request));
  if (service::waits_for_room(instance) && instance.detail->rare->placed_at == Monotonic::min())
    instance.detail->rare.change([&](service::Exceptional& rare) { rare.placed_at = now_.monotonic; });
  instance.lacks_room = false;
  instance.is_starting = true;
  set_node(service, instance, *chosen);
  if (is_guarded(service, instance.revision)) claim_slot(service, instance);
  else send_offer(service, instance);
}

// While no rollout judges it: then what fails is the rollout's affair.
bool Master::fails_too_often(Service const& service, Instance const& instance) const {
  if (!service.exists() || service.head.removing || service.head.rollout.is_under_way()) return false;
  auto const& policy = service.head.spec()->restart_policy;
  auto const most = policy.attempts_per_node;
  if (instance.reason == Reason::LeaseEnded) return false;  // that was the node's, or the network's
  if (most == 0 || policy.condition == model::RestartCondition::None) return false;
  return instance.state == InstanceState::Failed && instance.reason != Reason::None && !instance.stop_sent && !instance.is_unknown &&
         instance.revision == service.head.revision && instance.failures >= most;
}

// What failed as another revision may do well as this one.
std::map<std::uint32_t, std::vector<placement::Refusal>>& Master::avoided_of(Service& service) {
  auto& placing = service.placing;
  if (std::exchange(placing.avoided_by, service.head.revision) != service.head.revision) placing.avoided.clear();
  return placing.avoided;
}

// A node that it fails on is avoided for as long as its failures count. Not more than a few: elsewhere its back-off begins anew, and what
// fails on each of these would fail on all.
bool Master::fits_elsewhere(Service& service, Instance const& instance) {
  auto& all = avoided_of(service);
  auto const known = all.find(instance.slot);
  auto avoided = known == all.end() ? std::vector<placement::Refusal>() : known->second;
  std::erase_if(avoided, [&](auto const& each) { return each.until <= now_.monotonic || each.node == instance.node; });
  bool const fails = fails_too_often(service, instance);
  if (fails && avoided.size() >= kMostAvoided) return false;
  auto const until = now_.monotonic + std::max(service.head.spec()->restart_policy.window, kLeastAvoided);
  avoided.push_back({instance.node, until, instance.reason, fmt::format("it failed there {} times in a row", instance.failures)});
  auto search = search_for(service, instance, service.placing.request);
  search.refusals = avoided;
  bool const fits = placement_.choose(search).has_value();
  if (fits && fails) all[instance.slot] = std::move(avoided);
  return fits;
}

void Master::send_offer(Service& service, Instance& instance) {
  instance.retry_at = planted(Bug::OffersOnce) ? kNever : now_.monotonic + kOfferRetry;
  if (instance.reason == Reason::None) {
    set_state(service, instance, InstanceState::Offered, Reason::None, {});
  } else {
    instance.state = InstanceState::Offered;  // one more try after a refusal is no news
    touch(service);
  }
  confirm(service, instance);
}

// Slots that are like each other are kept waiting by the same thing, so the nodes are walked through once for all of them.
void Master::keep_waiting(Service& service, Instance& instance, placement::Search const& search) {
  auto& placing = service.placing;
  placement::Shortfall shortfall;
  bool const is_alike = is_like_others(search) && &search.request == &placing.request;
  if (is_alike && placing.shortfall_version == placement_.version()) {
    shortfall = placing.shortfall;
  } else {
    shortfall = placement::shortfall(placement_, search, service.head.name);
    if (is_alike) placing.shortfall = shortfall, placing.shortfall_version = placement_.version();
  }
  instance.retry_at = now_.monotonic + kPendingRetry;
  for (auto const& refusal : search.refusals) instance.retry_at = std::min(instance.retry_at, refusal.until);
  instance.lacks_room = shortfall.lacks_room && would_fit_in_place_of_another(service, instance);
  set_state(service, instance, InstanceState::Pending, shortfall.reason, std::move(shortfall.message));
}

// Another node is tried at once, and this one not again for a while. What users read of it follows from that search. The offer may
// have been said twice, and be admitted the second time: so what the next node is offered is another instance.
void Master::take_refusal(Node const& node, Service& service, Instance& instance, model::Verdict const& verdict) {
  if (instance.stop_sent || abandons_move(service, instance)) return erase(service, instance);
  auto refusals = std::move(service.placing.refusals[instance.id]);
  refusals.push_back({index_of(node), now_.monotonic + kRefusedFor, verdict.reason, verdict.message});
  auto next = new_instance(service, instance.slot);
  next.created = instance.created;
  next.revision = instance.revision;
  next.detail->created_at = instance.detail->created_at;
  next.detail->rare.change([&](service::Exceptional& rare) {
    rare.message = instance.detail->rare->message;
    rare.before = instance.detail->rare->before;
    rare.placed_at = instance.detail->rare->placed_at;
  });
  next.reason = instance.reason;
  next.retry_at = now_.monotonic;
  set_node(service, instance, kNoNode);  // it has left nothing there that others might take
  service.placing.has_left_room = true;
  erase(service, instance);
  service.placing.refusals[next.id] = std::move(refusals);
  service.instances.insert(std::move(next));
}

// ---- what users are told

std::vector<Unplaced> Master::explain(Service const& service, std::size_t most) const {
  std::vector<Unplaced> all;
  for (auto const& instance : service.instances) {
    bool const is_waiting = instance.state == InstanceState::Pending && instance.node == kNoNode;
    if (!is_waiting && !instance.is_stranded()) continue;
    if (all.size() == most) break;
    std::optional<placement::Request> own;
    auto const& request = is_waiting ? request_of(service, instance, own) : service.placing.request;  // that of its next one
    auto const search = search_for(service, instance, request);
    auto const since =
        is_waiting ? instance.detail->created_at
                   : now_.wall - std::chrono::floor<std::chrono::milliseconds>(now_.monotonic - instance.detail->rare->stranded_since);
    all.push_back({instance.slot, since, placement::judge(placement_, search), placement::would_fit(placement_, search)});
  }
  if (!shards_[service.shard.value].is_mine) explain_missing(service, most, all);
  return all;
}

// What waits for a node its owner alone has; another master sees slots that nobody has reported.
void Master::explain_missing(Service const& service, std::size_t most, std::vector<Unplaced>& all) const {
  for (auto const slot : missing_slots(service, most)) {
    placement::Search const search{.service = service.head.uid,
                                   .request = service.placing.request,
                                   .tally = service.placing.tally,
                                   .only = only_node_for(service, slot, service.placing.request),
                                   .refusals = {}};
    all.push_back({slot, std::nullopt, placement::judge(placement_, search), placement::would_fit(placement_, search)});
  }
}

std::vector<std::uint32_t> Master::missing_slots(Service const& service, std::size_t most) const {
  std::vector<std::uint32_t> missing;
  auto const wanted = service.head.removing ? 0 : static_cast<std::uint32_t>(service.head.spec()->instances);
  for (std::uint32_t slot = 1; slot <= wanted && missing.size() < most; ++slot) {
    if (service.instances.of_slot(slot).empty()) missing.push_back(slot);
  }
  return missing;
}

std::vector<placement::Verdict> Master::explain_next(Service const& service) const {
  auto const& placing = service.placing;
  return placement::judge(placement_, {.service = service.head.uid, .request = placing.request, .tally = placing.tally, .refusals = {}});
}

}  // namespace davit::master
