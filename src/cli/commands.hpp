// The client commands, one file each: what they are called, and what they do (Command::run).
#pragma once

#include "cli/command.hpp"

namespace davit::cli {

Command service_create_command();
Command service_update_command();
Command service_scale_command();
Command service_restart_command();
Command service_rollback_command();
Command service_pause_command();
Command service_resume_command();
Command service_rm_command();
Command service_ls_command();
Command service_ps_command();
Command service_stats_command();
Command service_inspect_command();
Command service_explain_command();
Command service_history_command();
Command service_logs_command();
Command node_ls_command();
Command node_inspect_command();
Command node_update_command();
Command node_drain_command();
Command node_activate_command();
Command node_mark_down_command();
Command node_rm_command();
Command rebalance_command();
Command apply_command();
Command events_command();
Command version_command(std::string version);
Command completion_command();
// Hidden: what the scripts of completion_command() call.
Command complete_command(Registry const* registry);

}  // namespace davit::cli
