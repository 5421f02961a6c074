// The client's half of the program `davit`: the commands that speak the public HTTP API, and the front that all commands
// share (parsing, help, completion).
//
//   cli::Registry registry(version);
//   app::add_up_command(registry);     // Commands like these, whose run() gives the exit code
//   cli::add_commands(registry);       // the registry stays where it is from here on
//   return cli::run(registry, argc, argv);
#pragma once

#include "cli/command.hpp"
#include "cli/exit_codes.hpp"

namespace davit::cli {

void add_commands(Registry& registry);

// Gives the exit code (exit_codes.hpp).
int run(Registry const& registry, int argc, char const* const* argv);

}  // namespace davit::cli
