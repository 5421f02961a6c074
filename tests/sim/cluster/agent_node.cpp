#include "sim/cluster/agent_node.hpp"

#include <algorithm>

namespace davit::sim {
namespace {
constexpr unsigned kLosesOneEventIn = 8;  // also in good times
}

AgentNode::Life::Life(AgentNode& node, Place place)
    : engine(place, node.engine_, node.machine_.around().observer),
      masters(place, node.masters_, node.machine_.around().observer),
      disk(node, place.process),
      leases(node, place.process),
      meter(node),
      prober(place.process, [&node](model::ProbeTarget const&) { return node.answer_probe(); }),
      driver({place.process, engine, masters, disk, meter, prober, &leases},
             {.facts = {.name = node.machine_.name(), .address = node.machine_.name(), .roles = {model::Role::Worker}},
              .has_guard = true,
              .boot = node.boot_name(),
              .leases = node.leases_},
             node.state_, [&node](agent::Noted const& note) { node.machine_.around().observer.on_noted(node.machine_.id(), note.text); }) {}

AgentNode::AgentNode(Surroundings around, std::string name, NodeId id, Random random, std::vector<model::MasterAddress> masters)
    : machine_(around, std::move(name), id, random),
      masters_(std::move(masters)),
      engine_(around.loop(), FakeDockerOptions{.seed = machine_.random().next(), .wall = [this] { return machine_.now().wall; }}),
      state_{.node = id, .cluster = {}, .epochs = {}} {
  engine_.lose_events(kLosesOneEventIn);
  engine_.on_change = [this](FakeContainer const& container) {
    machine_.around().observer.on_container_changed(machine_.id(), container.detail);
  };
  guard_ = std::make_unique<SimGuard>(machine_.begin_companion(), engine_, boot_name());
  engine_.on_call = [this](std::uint64_t, model::EngineCall const& call) { return next_fault(call); };
}

model::NodeLoad AgentNode::Meter::measure() {
  if (!node.is_shared_) return {};
  auto& random = node.machine_.random();
  if (load.memory_used.count == 0 || random.one_in(10)) {
    load = {.cpus_used = 0.1 * static_cast<double>(random.below(40)),
            .load_1m = 0.1 * static_cast<double>(random.below(60)),
            .memory_used = {static_cast<std::int64_t>(1 + random.below(7)) << 30},
            .pressure = {}};
  }
  return load;
}

AgentNode::~AgentNode() { life_.reset(); }

void AgentNode::start() {
  if (--crashes_ > 0) return;
  auto const place = machine_.begin_process();
  machine_.around().observer.on_agent_started(machine_.id());
  life_ = std::make_unique<Life>(*this, place);
  place.process.post([this] {
    life_->driver.start();
    life_->masters.start();
  });
}

void AgentNode::crash() {
  if (crashes_++ > 0) return;
  machine_.end_process();
  life_.reset();
}

void AgentNode::stop_engine(FakeDocker::Fate containers) {
  if (engine_stops_++ == 0 || containers == FakeDocker::Fate::Die) engine_.crash(containers);
}

void AgentNode::start_engine() {
  if (--engine_stops_ == 0) engine_.start();
}

void AgentNode::freeze_engine() {
  if (freezes_++ == 0) engine_.freeze();
}

void AgentNode::thaw_engine() {
  if (--freezes_ == 0) engine_.thaw();
}

void AgentNode::slow_engine_down(Duration by) {
  slowness_ += by;
  engine_.delay<model::StartContainer>(slowness_);
  engine_.delay<model::CreateContainer>(slowness_);
  engine_.delay<model::PullImage>(slowness_);
}

void AgentNode::lose_events(bool lost) {
  event_losses_ += lost ? 1 : -1;
  engine_.lose_events(event_losses_ > 0 ? 1 : kLosesOneEventIn);
}

bool AgentNode::runs_well(InstanceId instance) const {
  return std::ranges::any_of(engine_.containers(), [&](auto const& each) {
    auto const& detail = each.second.detail;
    auto const label = detail.labels.find("davit.instance");
    if (detail.name.starts_with(kForeign)) return false;  // a copy, labels and all
    return label != detail.labels.end() && label->second == to_string(instance) && detail.state == model::ContainerState::Running &&
           detail.health != model::Health::Unhealthy && detail.health != model::Health::Starting;
  });
}

std::optional<FakeDocker::Fault> AgentNode::next_fault(model::EngineCall const& call) {
  bool const is_change = std::holds_alternative<model::CreateContainer>(call) || std::holds_alternative<model::StartContainer>(call) ||
                         std::holds_alternative<model::StopContainer>(call) || std::holds_alternative<model::RemoveContainer>(call) ||
                         std::holds_alternative<model::PullImage>(call);
  bool const is_look = std::holds_alternative<model::InspectContainer>(call);
  if (refusals_ == 0 || !(is_change || is_look) || !machine_.random().one_in(2)) return std::nullopt;
  auto const* start = std::get_if<model::StartContainer>(&call);
  auto const* started = start ? engine_.find(start->id) : nullptr;
  bool const runs_already = started && started->detail.state == model::ContainerState::Running;  // no engine calls that a failure
  if (!runs_already && machine_.random().one_in(2)) return FakeDocker::Fault{Error{Code::Internal, "the engine failed", {}}, false};
  return FakeDocker::Fault{Error{Code::UnknownOutcome, "the connection to the engine broke", {}}, machine_.random().one_in(2)};
}

Status AgentNode::answer_probe() {
  if (failing_probes_ == 0 || !machine_.random().one_in(2)) return {};
  probe_failed_at_ = machine_.now().monotonic;
  return fail(Code::Unavailable, "connection refused");
}

void AgentNode::crash_guard() {
  if (guard_crashes_++ > 0) return;
  machine_.end_companion();
  guard_.reset();
}

void AgentNode::start_guard() {
  if (--guard_crashes_ == 0) guard_ = std::make_unique<SimGuard>(machine_.begin_companion(), engine_, boot_name(), leases_);
}

Monotonic AgentNode::lease_end(std::string const& container) const {
  auto const lease = std::ranges::find(leases_, container, &model::ContainerLease::container);
  return lease == leases_.end() ? Monotonic{} : lease->end;
}

void AgentNode::lose_power() {
  machine_.around().network.isolate(machine_.host(), true);
  crash();
  crash_guard();
  stop_engine(FakeDocker::Fate::Die);
  leases_.clear();  // in /run
  ++boots_;
  machine_.reboot();
}

void AgentNode::boot() {
  start_engine();
  start_guard();
  start();
  machine_.around().network.isolate(machine_.host(), false);
}

// The node's id is not lost with it: containers' labels carry it (protocol.md §8).
void AgentNode::lose_state() {
  state_ = {.node = machine_.id(), .cluster = {}, .epochs = {}};
  machine_.around().observer.on_disk_lost(machine_.id());
}

// What a killed process was about to write is written or not.
void AgentNode::Disk::save(model::AgentState state, ports::Done<void> done) {
  auto& node = node_;
  auto& process = process_;
  auto const takes = node.machine_.random().between(Duration(500us), Duration(5ms));
  node.machine_.around().delays.after(takes, [&node, &process, state = std::move(state), done = std::move(done)] {
    if (!process.is_alive() && node.machine_.random().one_in(2)) return;
    Status outcome;
    if (node.failing_saves_ > 0) outcome = fail(Code::Full, "no space left on device");
    else node.state_ = state;
    process.post([done, outcome] { done(outcome); });
  });
}

void AgentNode::Leases::write(std::vector<model::ContainerLease> all, ports::Done<void> done) {
  auto& node = node_;
  auto& process = process_;
  auto const takes = node.machine_.random().between(Duration(100us), Duration(2ms));
  node.machine_.around().delays.after(takes, [&node, &process, boot = node.boots_, all = std::move(all), done = std::move(done)] {
    if (node.boots_ != boot || (!process.is_alive() && node.machine_.random().one_in(2))) return;
    node.leases_ = all;
    if (node.guard_) node.guard_->write(all);
    process.post([done] { done({}); });
  });
}

}  // namespace davit::sim
