// The program: commands that run a node are the app's, all others speak to one over the public API (cli/).
#include <functional>
#include <string>

#include <fmt/core.h>

#include "app/cluster_node.hpp"
#include "app/environment.hpp"
#include "app/guard_process.hpp"
#include "app/one_machine.hpp"
#include "app/settings.hpp"
#include "app/store_commands.hpp"
#include "app/version.hpp"
#include "cli/cli.hpp"

namespace davit::app {
namespace {

int refuse(Error const& error) {
  bool const names_setting = error.field.starts_with("--");
  fmt::print(stderr, "davit: {}{}\n", names_setting ? error.field + ": " : "", error.message);
  return names_setting ? cli::kUsage : cli::kRefused;
}

std::function<int(cli::Invocation const&)> runs(Process process, Result<int> (*run)(Settings const&)) {
  return [process, run](cli::Invocation const& invocation) {
    auto const settings = read_settings(process, invocation, environment);
    if (!settings) return refuse(settings.error());
    auto const code = run(*settings);
    return code ? *code : refuse(code.error());
  };
}

void add_up_command(cli::Registry& registry) {
  registry.add(
      {.path = {"up"},
       .summary = "Run Davit on this machine: master and worker in one process",
       .details = "Settings come from flags, then from the environment (DAVIT_LISTEN for --listen), then from --config.\n"
                  "SIGTERM or Ctrl-C stops Davit; the containers go on running and are adopted by the next start.",
       .examples = {"davit up", "davit up --listen 0.0.0.0:4820 --api-token-file /etc/davit/token", "davit up --config /etc/davit.yaml"},
       .options = options_of(Process::Up),
       .run = runs(Process::Up, run_one_machine)});
}

void add_cluster_commands(cli::Registry& registry) {
  registry.add(
      {.path = {"master"},
       .summary = "Run a master of a cluster: the API, and the services of its share",
       .details = "Its state is in etcd; any number of masters share the work, three survive the loss of one. Settings come from flags, "
                  "then from the environment (DAVIT_ETCD for --etcd), then from --config.",
       .examples = {"davit master --etcd http://10.0.0.1:2379,http://10.0.0.2:2379 --link-ca ca.pem --link-cert n1.pem --link-key n1.key",
                    "davit master --etcd http://127.0.0.1:2379 --worker --insecure",
                    "davit master --consul 127.0.0.1:8500 --link-ca ca.pem --link-cert n1.pem --link-key n1.key"},
       .options = options_of(Process::Master),
       .run = runs(Process::Master, run_master)});
  registry.add({.path = {"worker"},
                .summary = "Run a worker of a cluster: the instances on this machine",
                .details =
                    "It joins through any master and keeps to all of them. SIGTERM or Ctrl-C stops Davit; the containers go on running "
                    "and are adopted by the next start.",
                .examples = {"davit worker --join 10.0.0.1 --link-ca ca.pem --link-cert n4.pem --link-key n4.key",
                             "davit worker --join 10.0.0.1:4821,10.0.0.2:4821 --insecure",
                             "davit worker --consul 127.0.0.1:8500 --link-ca ca.pem --link-cert n4.pem --link-key n4.key"},
                .options = options_of(Process::Worker),
                .run = runs(Process::Worker, run_worker)});
}

}  // namespace
}  // namespace davit::app

int main(int argc, char** argv) {
  davit::cli::Registry registry{std::string(davit::app::kVersion)};
  davit::app::add_up_command(registry);
  davit::app::add_cluster_commands(registry);
  davit::app::add_guard_command(registry);
  davit::app::add_store_commands(registry);
  davit::cli::add_commands(registry);
  return davit::cli::run(registry, argc, argv);
}
