#include "sim/run/workload.hpp"

#include <algorithm>
#include <memory>

#include <fmt/core.h>

namespace davit::sim {
namespace {

constexpr Duration kPatience = 15s;
constexpr Duration kShortestRest = 500ms;
constexpr Duration kLongestRest = 30s;

constexpr std::size_t kMovesAtOnce = 5;

// Of these a few fill a node, so that offers of several masters meet there, and are refused; so they do at a port of the node's, and
// where a volume is. In the end all have to find room.
bool asks_much(model::ServiceSpec const& spec) {
  auto const& reserved = spec.resources.reservations;
  bool const has_own_port = std::ranges::any_of(spec.ports, [](auto const& port) { return port.published.has_value(); });
  return reserved.cpus > 0.8 || reserved.memory.count > 1LL << 30 || has_own_port || !spec.volumes.empty();
}

bool can_serve(model::ServiceSpec const& spec) {
  static constexpr char const* kEnding[] = {"crash", "sick", "broken", "none", "done", "greedy"};
  return spec.restart_policy.condition == model::RestartCondition::Any &&
         std::ranges::none_of(kEnding, [&](char const* name) { return spec.image.starts_with(name); });
}

// Apart from the rest, so that each is as rare as it may be.
void draw_what_binds_to_a_node(model::ServiceSpec& spec, Random& random) {
  if (random.one_in(12)) spec.ports.push_back({.target = 90, .published = static_cast<std::int64_t>(8080 + random.below(2))});
  if (random.one_in(12)) spec.ports.push_back({.target = 91, .published = 9000, .published_end = 9001});
  if (random.one_in(12)) spec.volumes.push_back({.source = "data", .target = "/data", .read_only = random.one_in(3)});
}

model::UpdateConfig draw_update_config(Random& random) {
  model::UpdateConfig config;
  config.monitor = Duration(1s) * static_cast<std::int64_t>(1 + random.below(4));
  config.progress_deadline = 40s;
  config.parallelism = static_cast<std::int64_t>(random.below(4));
  config.failure_action = static_cast<model::FailureAction>(random.below(3));
  if (random.one_in(3)) config.max_failure_ratio = 0.25 * static_cast<double>(1 + random.below(2));
  if (random.one_in(3)) config.delay = Duration(1s) * static_cast<std::int64_t>(1 + random.below(3));
  if (random.one_in(4)) config.order = model::UpdateOrder::StopFirst;
  if (random.one_in(4)) config.order = model::UpdateOrder::StartFirst;
  return config;
}

// In the end there are workers in both, so that each constraint has its nodes.
std::string zone_of(NodeId id) { return id.value % 2 == 0 ? "a" : "b"; }

bool is_well(model::NodeRecord const& record) {
  if (record.roles == std::vector{model::Role::Master}) return true;
  auto const zone = record.labels.find("zone");
  return record.availability == model::Availability::Active && zone != record.labels.end() && zone->second == zone_of(record.id);
}

// Only these say that nothing was done, and that nothing will be.
bool is_refused(Code code) {
  return code == Code::Invalid || code == Code::NotFound || code == Code::Exists || code == Code::Stale || code == Code::Full ||
         code == Code::Unsupported;
}

}  // namespace

Workload::Workload(Cluster& cluster, JournalRule const& journals, Observer& observer, Random random, std::size_t services)
    : cluster_(cluster),
      journals_(journals),
      observer_(observer),
      random_(random),
      operator_(cluster.loop().make_timer()) {
  for (std::size_t i = 0; i < services; ++i) {
    auto const name = fmt::format("s{}", i + 1);
    users_.push_back(std::make_unique<User>(User{name, random.fork(name), 0, std::nullopt, cluster.loop().make_timer()}));
  }
}

Workload::~Workload() = default;

void Workload::start() {
  for (auto& user : users_)
    user->timer->set(cluster_.loop().now().monotonic + user->random.between(Duration(1s), Duration(10s)),
                     [this, &user = *user] { act(user); });
  operate();
}

void Workload::settle() {
  is_settling_ = true;
  for (auto& user : users_) act(*user);
  operate();
}

MasterNode& Workload::any_master(Random& random) { return *cluster_.masters()[random.below(cluster_.masters().size())]; }

// ---- users

void Workload::act(User& user) {
  auto const rest = is_settling_ ? Duration(2s) : user.random.between(kShortestRest, kLongestRest);
  if (user.waiting) {
    send(user);  // once more, to whoever it is this time
    user.timer->set(cluster_.loop().now().monotonic + kPatience, [this, &user] { act(user); });
    return;
  }
  if (auto body = is_settling_ ? repair(user) : choose(user)) return ask(user, *std::move(body));
  user.timer->set(cluster_.loop().now().monotonic + rest, [this, &user] { act(user); });
}

// He goes by what some master shows him, which may be old.
std::optional<model::CommandBody> Workload::choose(User& user) {
  auto const* master = any_master(user.random).master();
  if (!master) return std::nullopt;
  auto const* service = master->find_service(user.service);
  if (!service) return model::Create{std::make_shared<model::ServiceSpec const>(draw_spec(user))};
  auto spec = *service->head.spec();
  switch (user.random.below(12)) {
    case 0: return model::Remove{};
    case 1: return model::Rollback{};
    case 2: return model::Restart{};
    case 3:
    case 4:
    case 5: spec.instances = static_cast<std::int64_t>(user.random.below(7)); break;
    case 6: spec.labels.items["seen"] = std::to_string(user.requests); break;
    case 7: return model::Pause{};
    case 8: return model::Resume{};
    default: {
      auto const instances = spec.instances;
      spec = draw_spec(user);
      spec.instances = instances;
    }
  }
  return model::Replace{std::make_shared<model::ServiceSpec const>(std::move(spec)), user.random.one_in(4)};
}

model::ServiceSpec Workload::draw_spec(User& user) {
  static constexpr char const* kImages[] = {"ok",   "ok",   "ok",    "ok",     "ok",   "well",  "well",    "well",
                                            "slow", "slow", "crash", "crash",  "sick", "sick",  "broken",  "broken",
                                            "none", "none", "done",  "greedy", "calm", "known", "stubborn"};
  auto& random = user.random;
  model::ServiceSpec spec;
  spec.image = fmt::format("{}:{}", kImages[random.below(std::size(kImages))], random.below(3));
  spec.instances = static_cast<std::int64_t>(1 + random.below(5));
  spec.environment.items["VERSION"] = std::to_string(random.below(1000));
  if (random.one_in(3)) spec.resources.reservations.cpus = 0.1 * static_cast<double>(1 + random.below(8));
  if (random.one_in(4)) spec.resources.reservations.memory.count = static_cast<std::int64_t>(1 + random.below(16)) << 26;
  if (random.one_in(4)) spec.resources.reservations.cpus = 0.5 * static_cast<double>(2 + random.below(3));
  if (random.one_in(8)) spec.resources.reservations.memory.count = static_cast<std::int64_t>(2 + random.below(3)) << 30;
  if (random.one_in(3)) spec.ports.push_back({.target = 80});
  if (random.one_in(3)) spec.placement.max_replicas_per_node = random.one_in(3) ? 2 : 1;
  if (random.one_in(8)) spec.drain_delay = 0s;
  if (random.one_in(3)) spec.placement.strategy = model::Strategy::Binpack;
  spec.stop_grace_period = Duration(1s) * static_cast<std::int64_t>(1 + random.below(10));
  spec.restart_policy.max_delay = 8s;
  if (random.one_in(8)) spec.restart_policy.condition = static_cast<model::RestartCondition>(1 + random.below(2));
  if (random.one_in(4)) spec.restart_policy.attempts_per_node = static_cast<std::int64_t>(1 + random.below(3));
  spec.update_config = draw_update_config(random);
  if (random.one_in(4)) spec.rollback_config = draw_update_config(random);
  if (random.one_in(5))
    spec.healthcheck =
        model::Healthcheck{.tcp = model::TcpProbe{80}, .interval = 2s, .retries = 2, .start_period = 1s, .start_interval = 1s};
  if (random.one_in(16)) spec.healthcheck = model::Healthcheck{.disable = true};
  if (random.one_in(6)) spec.placement.spread_by = "node.labels.zone";
  else if (spec.placement.max_replicas_per_node == 0 && random.one_in(6))
    spec.placement.constraints = {fmt::format("node.labels.zone=={}", random.one_in(2) ? "a" : "b")};
  draw_what_binds_to_a_node(spec, random);
  if (random.one_in(3)) {
    spec.on_isolation = model::OnIsolation::Stop;
    if (random.one_in(3)) spec.stop_after = Duration(1s) * static_cast<std::int64_t>(10 + random.below(20));
    spec.update_config.order = model::UpdateOrder::Auto;  // one must end before the next begins
  }
  return spec;
}

// What cannot run is replaced by what can; what he sees now is true.
std::optional<model::CommandBody> Workload::repair(User const& user) const {
  auto const found = journals_.heads().find(user.service);
  if (found == journals_.heads().end() || found->second.removing) return std::nullopt;
  auto const& head = found->second;
  using enum model::RolloutState;
  bool const is_fit = can_serve(*head.spec()) && !asks_much(*head.spec());
  if (is_fit && head.rollout.state == Paused) return model::Resume{};
  if (is_fit && head.rollout.state != Stopped && head.rollout.state != Incomplete) return std::nullopt;
  auto spec = *head.spec();
  spec.image = "ok";
  spec.restart_policy.condition = model::RestartCondition::Any;
  if (asks_much(spec)) {
    spec.resources.reservations = {};
    spec.volumes.clear();
    std::erase_if(spec.ports, [](auto const& port) { return port.published.has_value(); });
  }
  spec.environment.items["VERSION"] = fmt::format("repaired {}", user.requests);
  return model::Replace{std::make_shared<model::ServiceSpec const>(std::move(spec))};
}

void Workload::ask(User& user, model::CommandBody body) {
  auto id = fmt::format("{}-{}", user.service, ++user.requests);
  auto const fingerprint = stable_hash(id);
  user.waiting = Request{{.service = user.service,
                          .author = "sim",
                          .request_id = std::move(id),
                          .fingerprint = fingerprint,
                          .if_generation = {},
                          .body = std::move(body)}};
  act(user);
  if (user.random.one_in(8)) send(user);  // an impatient one
}

void Workload::send(User& user) {
  ++user.waiting->tries;
  observer_.on_asked(user.waiting->command.request_id, user.service);
  any_master(user.random)
      .command(user.waiting->command,
               [this, &user, id = user.waiting->command.request_id](Result<model::Applied> outcome) { on_answer(user, id, outcome); });
}

void Workload::on_answer(User& user, std::string const& request, Result<model::Applied> const& outcome) {
  observer_.on_acknowledged(request, outcome);
  if (!user.waiting || user.waiting->command.request_id != request) return;
  // A refusal of a repeated request may be about what the first try did.
  if (!outcome && !is_refused(outcome.error().code)) {
    user.timer->set(cluster_.loop().now().monotonic + 1s, [this, &user] { act(user); });
    return;
  }
  ++answered_;
  user.waiting.reset();
  auto const rest = is_settling_ ? Duration(1s) : user.random.between(kShortestRest, kLongestRest);
  user.timer->set(cluster_.loop().now().monotonic + rest, [this, &user] { act(user); });
}

std::vector<std::string> Workload::pending() const {
  std::vector<std::string> reasons;
  for (auto const& user : users_) {
    if (user->waiting) reasons.push_back(fmt::format("request {} is not answered", user->waiting->command.request_id));
    else if (repair(*user)) reasons.push_back(fmt::format("service {} is to be put right", user->service));
  }
  for (auto const& [id, record] : journals_.nodes()) {
    if (!is_well(record)) reasons.push_back(fmt::format("node {} is not active, or in another zone", record.name));
  }
  return reasons;
}

// ---- the operator

void Workload::operate() {
  if (is_settling_) return set_all_active();
  auto const& agent = *cluster_.agents()[random_.below(cluster_.agents().size())];
  static constexpr model::Availability kChoices[] = {model::Availability::Active, model::Availability::Active, model::Availability::Pause,
                                                     model::Availability::Drain};
  model::NodeCommand command{.node = agent.machine().id(), .labels = {}, .availability = {}};
  auto const what = random_.below(9);
  switch (what) {
    case 0: command.mark_down = true; break;
    case 1: command.forget = true; break;
    case 2: command.labels["zone"] = random_.one_in(2) ? "a" : "b"; break;
    case 3: rebalance(any_master(random_)); break;
    default: command.availability = kChoices[random_.below(4)];
  }
  if (what != 3) any_master(random_).node_command(std::move(command), [](Result<model::Applied>) {});
  operator_->set(cluster_.loop().now().monotonic + random_.between(Duration(5s), Duration(40s)), [this] { operate(); });
}

void Workload::rebalance(MasterNode& master) {
  for (auto& [service, move] : master.moves_to_rebalance(kMovesAtOnce))
    master.command({.service = service, .author = "sim", .request_id = {}, .if_generation = {}, .body = std::move(move)},
                   [](Result<model::Applied>) {});
}

void Workload::set_all_active() {
  for (auto const& [id, record] : journals_.nodes()) {
    if (is_well(record)) continue;
    any_master(random_).node_command({.node = id, .labels = {{"zone", zone_of(id)}}, .availability = model::Availability::Active},
                                     [](Result<model::Applied>) {});
  }
  operator_->set(cluster_.loop().now().monotonic + 10s, [this] { operate(); });
}

}  // namespace davit::sim
