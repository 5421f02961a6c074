// The program: commands that run a node are the app's, all others speak to one over the public API (cli/).
#include <cstdlib>
#include <optional>
#include <string>

#include <fmt/core.h>

#include "app/one_machine.hpp"
#include "app/settings.hpp"
#include "app/store_commands.hpp"
#include "app/version.hpp"
#include "cli/cli.hpp"

namespace davit::app {
namespace {

std::optional<std::string> environment(std::string const& name) {
  auto const* value = std::getenv(name.c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

int refuse(Error const& error) {
  bool const names_setting = error.field.starts_with("--");
  fmt::print(stderr, "davit: {}{}\n", names_setting ? error.field + ": " : "", error.message);
  return names_setting ? cli::kUsage : cli::kRefused;
}

int run_up(cli::Invocation const& invocation) {
  auto const settings = read_settings(invocation, environment);
  if (!settings) return refuse(settings.error());
  auto const code = run_one_machine(*settings);
  return code ? *code : refuse(code.error());
}

void add_up_command(cli::Registry& registry) {
  registry.add(
      {.path = {"up"},
       .summary = "Run Davit on this machine: master and worker in one process",
       .details = "Settings come from flags, then from the environment (DAVIT_LISTEN for --listen), then from --config.\n"
                  "SIGTERM or Ctrl-C stops Davit; the containers go on running and are adopted by the next start.",
       .examples = {"davit up", "davit up --listen 0.0.0.0:4820 --api-token-file /etc/davit/token", "davit up --config /etc/davit.yaml"},
       .options = up_options(),
       .run = run_up});
}

}  // namespace
}  // namespace davit::app

int main(int argc, char** argv) {
  davit::cli::Registry registry{std::string(davit::app::kVersion)};
  davit::app::add_up_command(registry);
  davit::app::add_store_commands(registry);
  davit::cli::add_commands(registry);
  return davit::cli::run(registry, argc, argv);
}
