// The processes of a container, found by its id among the kernel's control groups (version 1 or 2), without asking any engine.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace davit::app {

// All of them, also those in groups below the container's own. Empty: none runs, or there is no such container.
std::vector<pid_t> processes_of(std::string const& container);
// To the first process of the container, which may end in good order; to its others where that one cannot be told.
void signal_container(std::string const& container, int signal);
// To all, until none is left or some rounds have passed.
void kill_container(std::string const& container);

}  // namespace davit::app
