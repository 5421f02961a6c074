// What makes a process a worker: its Docker Engine, and the driver of the agent's machine. Made by the app; control thread.
#pragma once

#include <optional>
#include <vector>

#include "adapters/engine_docker/docker_engine.hpp"
#include "adapters/ingress/ingress_proxy.hpp"
#include "adapters/prober/net_prober.hpp"
#include "adapters/registry_consul/consul_registry.hpp"
#include "app/data_dir.hpp"
#include "app/guard_process.hpp"
#include "app/host.hpp"
#include "app/node_dns.hpp"
#include "app/settings.hpp"
#include "base/result.hpp"
#include "drivers/agent_driver.hpp"
#include "runtime/asio_loop.hpp"

namespace davit::app {

class WorkerPart {
 public:
  WorkerPart(runtime::AsioLoop& loop, Settings const& settings, engine_docker::EngineAddress address);
  WorkerPart(WorkerPart const&) = delete;
  WorkerPart& operator=(WorkerPart const&) = delete;

  ports::Engine& engine() { return engine_; }
  void start(ports::MasterLink& masters, model::AgentState state, std::vector<model::Role> roles);
  agent::Agent const& agent() const { return driver_->agent(); }

  void stop_services() {
    if (driver_) driver_->stop_services();
  }
  void stop();
  bool has_stopped_services() const { return !driver_ || driver_->agent().all_stopped(); }
  bool is_stopped() const { return engine_.is_stopped() && prober_.is_stopped() && (!registry_ || registry_->is_stopped()); }

 private:
  engine_docker::ContainerDnsFinder::DnsAt dns_for_containers();
  std::vector<ports::DirectoryUser*> directory_users();
  ports::LeaseFile* start_guard(NodeId node, agent::Options& options);

  runtime::AsioLoop& loop_;
  Settings const& settings_;
  AgentStateFile state_file_;
  std::optional<GuardKeeper> guard_;
  std::optional<GuardLeaseFile> leases_;
  ProcLoadMeter load_meter_;
  std::optional<NodeDns> dns_;  // unless it is switched off
  engine_docker::DockerEngine engine_;
  prober::NetProber prober_;
  ingress::IngressProxy ingress_;
  std::optional<registry_consul::ConsulRegistry> registry_;
  std::optional<drivers::AgentDriver> driver_;
};

}  // namespace davit::app
