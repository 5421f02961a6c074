// `davit store backup|restore|copy`: the commands that open the store directly instead of asking a server.
#pragma once

#include "cli/command.hpp"

namespace davit::app {

void add_store_commands(cli::Registry& registry);

}  // namespace davit::app
