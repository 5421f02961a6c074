#include "cli/cli.hpp"

#include <cstdio>

#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/parse.hpp"
#include "cli/session.hpp"

namespace davit::cli {
namespace {

std::string help_for(Registry const& registry, Parsed const& parsed) {
  if (parsed.command) return command_help(*parsed.command);
  return parsed.path.empty() ? overview(registry) : group_help(registry, parsed.path);
}

}  // namespace

void add_commands(Registry& registry) {
  registry.add_group("service", "Create, change and look at services.");
  registry.add_group("node", "Look at the machines of the cluster, and say what they are used for.");
  for (auto* const make :
       {service_create_command, service_update_command,  service_scale_command,   service_restart_command, service_rollback_command,
        service_pause_command,  service_resume_command,  service_rm_command,      service_ls_command,      service_ps_command,
        service_stats_command,  service_inspect_command, service_explain_command, service_history_command, service_logs_command,
        node_ls_command,        node_inspect_command,    node_update_command,     node_drain_command,      node_activate_command,
        node_mark_down_command, node_rm_command,         rebalance_command,       apply_command,           events_command,
        completion_command}) {
    registry.add(make());
  }
  registry.add(version_command(registry.version()));
  registry.add(complete_command(&registry));
}

int run(Registry const& registry, int argc, char const* const* argv) {
  auto const parsed = parse(registry, {argv + 1, argv + argc});
  if (!parsed) {
    std::fprintf(stderr, "%s\n", parsed.error().message.c_str());
    return kUsage;
  }
  if (parsed->wants_version) {
    print_out("davit " + registry.version() + "\n");
    return kConverged;
  }
  if (parsed->wants_help || !parsed->command) {
    print_out(help_for(registry, *parsed));
    return kConverged;
  }
  return parsed->command->run(parsed->invocation);
}

}  // namespace davit::cli
