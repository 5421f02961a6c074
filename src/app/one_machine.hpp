// `davit up`: master and worker in one process, over SQLite and the in-process link. Made and run by main; control thread.
#pragma once

#include "app/settings.hpp"
#include "base/result.hpp"

namespace davit::app {

// Runs until SIGTERM or SIGINT; gives the exit code. What keeps it from starting is an Error.
Result<int> run_one_machine(Settings const& settings);

}  // namespace davit::app
