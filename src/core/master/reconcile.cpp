// From plans to orders, and the table of instances that both sides keep.
#include <algorithm>

#include <fmt/core.h>

#include "base/check.hpp"
#include "core/master/master.hpp"
#include "core/placement/placement.hpp"
#include "core/service/plan.hpp"

namespace davit::master {

using model::InstanceState;
using model::Reason;

namespace {

constexpr Duration kPendingRetry = 2s;
constexpr Duration kOfferRetry = 5s;
constexpr Duration kStopRetry = 30s;

auto in_order(std::uint32_t slot, InstanceId id) {
  return [slot, id](Instance const& instance) { return instance.slot != slot ? instance.slot < slot : instance.id < id; };
}

}  // namespace

Instance* Service::find(std::uint32_t slot, InstanceId id) {
  auto const found = std::ranges::partition_point(instances, in_order(slot, id));
  return found != instances.end() && found->id == id ? &*found : nullptr;
}
Instance const* Service::find(std::uint32_t slot, InstanceId id) const { return const_cast<Service*>(this)->find(slot, id); }

void Master::step(Now now, Event const& event, Actions& actions) {
  now_ = now;
  out_ = &actions;
  orders_left_ = options_.orders_per_step;
  std::visit([this](auto const& each) { on(each); }, event);
  out_ = nullptr;
}

// Plans and statuses wait for the tick that follows a burst of events, so that a burst costs one plan for each service.
Monotonic Master::wake_at() const {
  Monotonic at = retry_boot_at_;
  for (auto const& [op, in_flight] : in_flight_) at = std::min(at, in_flight.retry_at);
  if (!touched_.empty()) at = std::min(at, now_.monotonic);
  if (!plans_.empty() && phase_ == Phase::Active) at = std::min(at, plans_.begin()->first);
  return at;
}

void Master::on(Tick const&) {
  if (retry_boot_at_ <= now_.monotonic) {
    retry_boot_at_ = kNever;
    if (phase_ == Phase::Loading) on(Started{});
    else if (phase_ == Phase::Claiming && cluster_) claim_shards();
    else if (phase_ == Phase::Claiming) take_over({.revision = store_revision_});
    for (auto& node : nodes_) {
      if (phase_ == Phase::Active && node.is_connected) record(node);
    }
  }
  retry_unknown();
  if (phase_ == Phase::Active) reconcile_due();
  refresh_statuses();
}

void Master::reconcile_due() {
  while (!plans_.empty() && plans_.begin()->first <= now_.monotonic && orders_left_ > 0) {
    auto& service = services_.at(plans_.begin()->second);
    plan_at(service, kNever);
    reconcile(service);
  }
}

bool Master::all_answered() const {
  return std::ranges::all_of(nodes_, [](Node const& node) { return node.is_fenced || node.record.status == model::NodeStatus::Down; });
}

void Master::reconcile(Service& service) {
  if (!service.exists()) return;
  bool const is_newer_than_grant = service.head.uid.revision > fence_of(service.head.name).epoch.revision;
  if (!is_newer_than_grant && !all_answered()) return;  // the last answer plans everything anew
  retry(service);

  auto plan = service::plan(service.head, service.instances, now_.monotonic);
  auto next = plan.wake_at;
  for (auto const& order : plan.stop) {
    if (orders_left_ == 0) break;
    if (auto* instance = service.find(order.slot, order.id)) order_stop(service, *instance, order.reason);
  }
  for (auto const slot : plan.place) {
    if (orders_left_ == 0) break;
    place(service, slot);
  }
  for (auto& instance : service.instances) {
    if (orders_left_ == 0) break;
    if (!instance.is_confirmed && !instance.stop_sent && instance.node != kNoNode) confirm(service, instance);
  }
  if (orders_left_ == 0) next = now_.monotonic;
  for (auto const& instance : service.instances) next = std::min(next, instance.retry_at);
  if (next != kNever) plan_at(service, next);
  if (service.is_appending) return;
  if (plan.is_removed) remove_records(service);
  else journal_decision(service, std::move(plan.decision));
}

void Master::journal_decision(Service& service, std::optional<model::EventBody> decision) {
  if (!decision && service.seen_digest && !service.head.removing) decision = *std::exchange(service.seen_digest, std::nullopt);
  if (decision) append(service, *std::move(decision), 0, nullptr);
}

void Master::place(Service& service, std::uint32_t slot) {
  auto const epoch = fence_of(service.head.name).epoch;
  Instance instance;
  instance.id = {stable_hash(fmt::format("{}/{}/{}/{}/{}", to_string(cluster_->uid), to_string(service.head.uid), slot, to_string(epoch),
                                         next_instance_++)) &
                 InstanceId::kMask};
  instance.slot = slot;
  instance.revision = service.head.revision;
  instance.created = now_.monotonic;
  instance.detail->created_at = instance.detail->state_since = now_.wall;
  offer(service, insert(service, std::move(instance)));
}

void Master::offer(Service& service, Instance& instance) {
  std::vector<placement::Candidate> candidates;
  service.per_node.resize(nodes_.size());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    auto const& node = nodes_[i];
    candidates.push_back({.id = node.record.id,
                          .name = node.facts.name,
                          .is_fenced = node.is_fenced,
                          .engine_up = node.facts.engine_up,
                          .status = node.record.status,
                          .availability = node.record.availability,
                          .capacity = {node.facts.engine.cpus, node.facts.engine.memory},
                          .reserved = node.reserved,
                          .of_service = service.per_node[i]});
  }
  --orders_left_;
  auto const chosen = placement::choose(*service.head.spec(), instance.id, candidates);
  if (!chosen) {
    instance.retry_at = now_.monotonic + kPendingRetry;
    auto const reason = model::parse_enum<Reason>(chosen.error().field).value_or(Reason::NoNodeFits);
    set_state(service, instance, InstanceState::Pending, reason, chosen.error().message);
    return;
  }
  set_node(service, instance, NodeIx(*chosen));
  instance.retry_at = now_.monotonic + kOfferRetry;
  if (instance.reason == Reason::None) {
    set_state(service, instance, InstanceState::Offered, Reason::None, {});
  } else {
    instance.state = InstanceState::Offered;  // one more try after a refusal is no news
    touch(service);
  }
  confirm(service, instance);
}

// An offer and a confirmation are the same words; what they mean depends on whether the agent has the instance.
void Master::confirm(Service& service, Instance& instance) {
  instance.is_confirmed = true;
  auto const kept = service.head.revisions.find(instance.revision);
  if (kept == service.head.revisions.end()) return;  // of a revision that is not kept any more: it goes on until it is replaced
  --orders_left_;
  out_->push_back(Send{nodes_[static_cast<std::size_t>(instance.node)].record.id, model::RunInstance{.fence = fence_of(service.head.name),
                                                                                                     .id = instance.id,
                                                                                                     .uid = service.head.uid,
                                                                                                     .service = service.head.name,
                                                                                                     .slot = instance.slot,
                                                                                                     .revision = instance.revision,
                                                                                                     .spec = kept->second.spec,
                                                                                                     .digest = kept->second.digest}});
}

void Master::order_stop(Service& service, Instance& instance, Reason reason) {
  if (instance.node == kNoNode) return erase(service, instance);
  --orders_left_;
  instance.stop_sent = true;
  instance.ready_since = kNever;
  instance.retry_at = now_.monotonic + kStopRetry;
  instance.reason = reason;
  touch(service);
  out_->push_back(Send{nodes_[static_cast<std::size_t>(instance.node)].record.id,
                       model::StopInstance{fence_of(service.head.name), instance.id, service.head.uid, instance.slot, reason}});
}

void Master::retry(Service& service) {
  for (auto& instance : service.instances) {
    if (instance.retry_at > now_.monotonic || orders_left_ == 0) continue;
    instance.retry_at = kNever;
    if (instance.stop_sent) order_stop(service, instance, instance.reason);
    else if (instance.state == InstanceState::Offered) instance.retry_at = now_.monotonic + kOfferRetry, confirm(service, instance);
    else if (instance.state == InstanceState::Pending && instance.revision == service.head.revision) offer(service, instance);
  }
}

// ---- the table

Instance& Master::insert(Service& service, Instance instance) {
  auto const at = std::ranges::partition_point(service.instances, in_order(instance.slot, instance.id));
  return *service.instances.insert(at, std::move(instance));
}

void Master::erase(Service& service, Instance const& instance) {
  set_node(service, const_cast<Instance&>(instance), kNoNode);
  service.instances.erase(service.instances.begin() + (&instance - service.instances.data()));
  touch(service);
  plan_soon(service);
}

void Master::account(Service& service, Instance const& instance, int sign) {
  if (instance.node == kNoNode) return;
  auto& node = nodes_[static_cast<std::size_t>(instance.node)];
  node.instances += sign;
  service.per_node.resize(nodes_.size());
  service.per_node[static_cast<std::size_t>(instance.node)] += sign;
  auto const kept = service.head.revisions.find(instance.revision);
  if (kept == service.head.revisions.end()) return;
  auto const& reserved = kept->second.spec->resources.reservations;
  node.reserved.cpus += sign * reserved.cpus;
  node.reserved.memory.count += sign * reserved.memory.count;
}

void Master::set_node(Service& service, Instance& instance, NodeIx node) {
  account(service, instance, -1);
  instance.node = node;
  account(service, instance, +1);
}

void Master::set_state(Service& service, Instance& instance, InstanceState state, Reason reason, std::string message) {
  auto const before = instance.state;
  bool const is_same_refusal = before == InstanceState::Offered && state == InstanceState::Pending && reason != Reason::None;
  bool const is_news = (before != state && !is_same_refusal) || instance.reason != reason || instance.detail->message != message;
  instance.state = state;
  instance.reason = reason;
  instance.detail->message = std::move(message);
  if (before != state) instance.detail->state_since = now_.wall;
  if (is_news) changed(service, instance, before);
  touch(service);
}

void Master::plan_at(Service& service, Monotonic at) {
  if (service.plan_at != kNever && at != kNever && at >= service.plan_at) return;
  if (service.plan_at != kNever) plans_.erase({service.plan_at, service.head.name});
  service.plan_at = at;
  if (at != kNever) plans_.insert({at, service.head.name});
}

void Master::plan_all_soon() {
  for (auto& [name, service] : services_) {
    if (!service.exists()) continue;
    for (auto& instance : service.instances) {
      if (instance.state == InstanceState::Pending) instance.retry_at = now_.monotonic;
    }
    plan_soon(service);
  }
}

void Master::touch(Service& service) {
  service.version = ++version_;
  touched_.insert(service.head.name);
}

void Master::refresh_statuses() {
  for (auto const& name : std::exchange(touched_, {})) {
    auto const found = services_.find(name);
    if (found == services_.end() || !found->second.exists()) continue;
    auto& service = found->second;
    auto const before = std::exchange(service.status, status_of(service.head, service.instances));
    bool const is_converged = service.status.state == service::State::Running;
    if (phase_ == Phase::Active && !all_answered() && !is_converged && service.status.message.empty()) {
      service.status.message = "waiting for the nodes to answer: davit node ls";
    }
    if (is_converged && before.state != service.status.state) {
      changed({.type = "service.converged",
               .service = name,
               .revision = service.head.revision,
               .message = fmt::format("{}/{} ready", service.status.ready, service.status.desired)});
    }
  }
}

Service const* Master::find_service(std::string_view name) const {
  auto const found = services_.find(std::string(name));
  return found == services_.end() || !found->second.exists() ? nullptr : &found->second;
}

std::vector<std::string> Master::pending() const {
  std::vector<std::string> reasons;
  if (phase_ != Phase::Active) reasons.push_back("the master does not hold its shards");
  if (!all_answered()) reasons.push_back("a worker has not answered its fence");
  for (auto const& [op, in_flight] : in_flight_) reasons.push_back(fmt::format("write {} is in flight", op));
  for (auto const& [name, service] : services_) {
    using service::State;
    if (service.status.state == State::Paused) continue;
    auto const surplus = static_cast<std::int64_t>(service.instances.size()) - service.status.desired;
    if (service.status.state != State::Running || touched_.contains(name)) {
      reasons.push_back(fmt::format("service {} is {}: {}", name, model::to_string(service.status.state), service.status.message));
    } else if (surplus > 0) {
      reasons.push_back(fmt::format("service {} has {} instances that are to go", name, surplus));
    }
  }
  return reasons;
}

void Master::changed(Transition transition) {
  transition.time = now_.wall;
  out_->push_back(Changed{std::move(transition)});
}

void Master::changed(Service const& service, Instance const& instance, InstanceState before) {
  auto const* where = node(instance.node);
  changed({.type = fmt::format("instance.{}", model::to_string(instance.state)),
           .service = service.head.name,
           .slot = instance.slot,
           .instance = instance.id,
           .revision = instance.revision,
           .node = where ? where->facts.name : "",
           .previous = std::string(model::to_string(before)),
           .reason = instance.reason,
           .message = instance.detail->message});
}

}  // namespace davit::master
