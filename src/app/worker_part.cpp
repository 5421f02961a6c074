#include "app/worker_part.hpp"

#include <utility>

#include "app/environment.hpp"
#include "app/log_notes.hpp"

namespace davit::app {
WorkerPart::WorkerPart(runtime::AsioLoop& loop, Settings const& settings, engine_docker::EngineAddress address)
    : loop_(loop),
      settings_(settings),
      state_file_(loop, settings.data_dir),
      dns_(settings.dns.is_on ? std::make_optional<NodeDns>(loop, settings.dns, address.endpoint) : std::nullopt),
      engine_(loop, {std::move(address), engine_docker::docker_config_folder(environment), dns_for_containers()}),
      prober_(loop),
      ingress_({.node = settings.node, .limits = ingress::limits_of_process()}) {
  if (settings.consul) registry_.emplace(loop, *settings.consul);
}

void WorkerPart::start(ports::MasterLink& masters, model::AgentState state, std::vector<model::Role> roles) {
  agent::Options options{.ports = settings_.ports, .has_registry = registry_.has_value()};
  options.facts.name = settings_.node;
  options.facts.address = settings_.advertise;
  options.facts.roles = std::move(roles);
  options.facts.labels = settings_.labels;
  auto* const leases = start_guard(state.node, options);
  driver_.emplace(drivers::AgentDriver::Ports{loop_, engine_, masters, state_file_, load_meter_, prober_, leases, directory_users(),
                                              registry_ ? &*registry_ : nullptr},
                  std::move(options), std::move(state), [](agent::Noted const& note) { log_note("agent", note); });
  driver_->start();
  if (dns_) dns_->start([this] { engine_.find_dns(); });
}

std::vector<ports::DirectoryUser*> WorkerPart::directory_users() {
  std::vector<ports::DirectoryUser*> users{&ingress_};
  if (dns_) users.push_back(&dns_->user());
  return users;
}

engine_docker::ContainerDnsFinder::DnsAt WorkerPart::dns_for_containers() {
  if (!dns_) return {};
  return [this](engine_docker::Bridge const& bridge) { return dns_->at(bridge); };
}

// Null: there is none, and instances that need one are refused.
ports::LeaseFile* WorkerPart::start_guard(NodeId node, agent::Options& options) {
  GuardFolder const folder(settings_.run_dir, node);
  guard_.emplace(loop_, folder, settings_.log_level);
  auto const started = guard_->start();
  auto leases = started ? folder.read() : Result<std::vector<model::ContainerLease>>(std::unexpected(started.error()));
  if (!leases) {
    runtime::logger("agent").warn("no guard, so no services with on_isolation: stop on this node: {}", leases.error().message);
    guard_.reset();
    return nullptr;
  }
  options.has_guard = true;
  options.boot = boot_id();
  options.leases = *std::move(leases);
  return &leases_.emplace(loop_, folder);
}

void WorkerPart::stop() {
  guard_.reset();
  if (dns_) dns_->stop();
  if (driver_) driver_->stop();
  engine_.stop();
  prober_.stop();
  ingress_.stop();
  if (registry_) registry_->stop();
}

}  // namespace davit::app
