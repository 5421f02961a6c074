#include "machine/world.hpp"

#include <fmt/core.h>

namespace davit::sim {
namespace {
constexpr Duration kAnswerLimit = 60s;
}

void World::InMemoryState::save(model::AgentState saved, ports::Done<void> done) {
  world.loop.post([this, guard = std::weak_ptr(alive), saved, done = std::move(done)] {
    if (guard.expired()) return;
    auto outcome = world.on_save();
    if (outcome) state = saved;
    done(std::move(outcome));
  });
}

void World::LeasesForGuard::write(std::vector<model::ContainerLease> all, ports::Done<void> done) {
  world.loop.post([this, guard = std::weak_ptr(alive), all = std::move(all), done = std::move(done)]() mutable {
    if (guard.expired()) return;
    world.node_guard.write(std::move(all));
    done({});
  });
}

void World::FaultyStore::commit(ports::Commit commit, Monotonic deadline, ports::Done<ports::Committed> done) {
  world.on_sent(commit);
  auto const fault = world.on_commit ? world.on_commit(++world.commits_) : (++world.commits_, std::nullopt);
  if (!fault) return store.commit(std::move(commit), deadline, std::move(done));
  store.fail_next(fault->code, fault->is_done ? MemoryStore::Moment::AfterApplied : MemoryStore::Moment::BeforeApplied);
  store.commit(std::move(commit), deadline, std::move(done));
}

void World::GuardedLoop::post(std::function<void()> function) {
  loop.post([guard = std::weak_ptr(alive), function = std::move(function)] {
    if (!guard.expired()) function();
  });
}

World::Process::Process(World& world, std::string session)
    : loop(world.loop),
      store(loop, world.data_),
      faulty_store(world, store),
      engine(world.docker),
      link(loop, engine, world.agent_state_.node),
      state_file(world),
      leases(world),
      prober(loop, [&world](model::ProbeTarget const& target) { return world.on_probe ? world.on_probe(target) : Status(); }),
      master({loop, faulty_store, link, peers},
             {.new_cluster = {99}, .session = std::move(session), .self = world.agent_state_.node, .name = "n1"},
             {[&world](master::Transition const& change) { world.transitions_.push_back(change); },
              [&world](master::Noted const& note) { world.notes_.push_back(note.text); }}),
      agent({loop, engine, link, state_file, load, prober, &leases},
            {.facts = {.name = "n1", .address = "10.0.0.1", .roles = {model::Role::Master, model::Role::Worker}},
             .has_guard = world.has_guard,
             .boot = "boot1",
             .leases = world.node_guard.file()},
            world.agent_state_, [&world](agent::Noted const& note) { world.notes_.push_back(note.text); }) {}

void World::start_process() {
  process_ = std::make_unique<Process>(*this, fmt::format("session{}", ++starts_));
  process_->master.start();
  process_->agent.start();
  process_->link.connect();
  loop.run_until([this] { return master().acts_for({0}) && master().acts_for({kShards - 1}); }, kAnswerLimit);
}

void World::kill_process() {
  if (!process_) return;
  process_->loop.alive.reset();
  process_->engine.stop();
  process_->store.stop();
  process_.reset();
}

Result<master::Applied> World::command(service::Command command) {
  auto answer = std::make_shared<std::optional<Result<master::Applied>>>();
  process_->master.command(std::move(command), [answer](Result<master::Applied> outcome) { *answer = std::move(outcome); });
  loop.run_until([&] { return answer->has_value(); }, kAnswerLimit);
  return *answer ? **answer : fail(Code::Deadline, "no answer");
}

void World::send(service::Command command) {
  process_->master.command(std::move(command), [](Result<master::Applied>) {});
}

Result<master::Applied> World::create(std::string const& name, model::ServiceSpec spec) {
  return command({.service = name, .body = service::Create{std::make_shared<model::ServiceSpec const>(std::move(spec))}});
}
Result<master::Applied> World::replace(std::string const& name, model::ServiceSpec spec) {
  return command({.service = name, .body = service::Replace{std::make_shared<model::ServiceSpec const>(std::move(spec))}});
}
Result<master::Applied> World::remove(std::string const& name) { return command({.service = name, .body = service::Remove{}}); }

service::ServiceStatus World::status(std::string const& name) const {
  auto const* service = master().find_service(name);
  // The master derives statuses at the tick that follows a change; a test may look before.
  return service ? service::status_of(service->head, service->instances) : service::ServiceStatus{};
}

bool World::settle(Duration limit) {
  return loop.run_until([this] { return is_running() && master().pending().empty() && agent().pending().empty(); }, limit);
}

std::string World::pending() const {
  std::string text;
  for (auto const& reason : master().pending()) text += "\n  master: " + reason;
  for (auto const& reason : agent().pending()) text += "\n  agent: " + reason;
  return text;
}

}  // namespace davit::sim
