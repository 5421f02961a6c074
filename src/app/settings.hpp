// What `davit up`, `davit master` and `davit worker` are told: by flag, else by environment (DAVIT_LISTEN), else by the --config file, else
// by default.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/registry_consul/consul_registry.hpp"
#include "app/dns_settings.hpp"
#include "app/etcd_settings.hpp"
#include "app/setting_reader.hpp"
#include "base/result.hpp"
#include "cli/command.hpp"
#include "core/agent/port_pool.hpp"
#include "core/cluster/policy.hpp"

namespace davit::app {

enum class Process : std::uint8_t { Up, Master, Worker };

// PEM texts.
struct LinkTls {
  std::string ca;
  std::string certificate;
  std::string key;
};

struct Settings {
  std::string listen_host = "127.0.0.1";
  std::uint16_t listen_port = 4820;
  std::filesystem::path data_dir;
  std::filesystem::path socket;  // the API's unix socket
  std::string node;
  std::string advertise;
  std::string docker_host;
  agent::PortRange ports;
  std::map<std::string, std::string> labels;  // of the node
  std::optional<std::string> api_token;
  std::string log_level = "info";
  std::filesystem::path run_dir;  // of what is gone with the boot
  bool stop_services = false;
  DnsSettings dns;
  std::optional<registry_consul::ConsulAddress> consul;

  bool is_worker = true;  // as well as a master, where it is one

  // of a cluster
  EtcdSettings etcd;  // its members may be left to Consul
  std::string etcd_service;  // by which Consul knows them; "": they are given
  HostPort link_listen;
  std::optional<LinkTls> link_tls;
  std::vector<HostPort> join;
  bool is_insecure = false;  // its link needs no certificates
  cluster::DowningPolicy downing;
};

// The options as the command line shows them; the same names stand in the environment and in the file.
std::vector<cli::Option> options_of(Process process);

// Error::field names the setting, as "--listen".
Result<Settings> read_settings(Process process, cli::Invocation const& invocation, Environment const& environment);

// Of --data-dir, or the default of the user who runs it.
std::filesystem::path data_dir_of(std::string const& given, Environment const& environment);

}  // namespace davit::app
