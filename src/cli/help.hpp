// The texts that teach the program, made from the registry. Pure.
#pragma once

#include <string>
#include <vector>

#include "cli/command.hpp"

namespace davit::cli {

std::string overview(Registry const& registry);
std::string group_help(Registry const& registry, std::vector<std::string> const& path);
std::string command_help(Command const& command);

}  // namespace davit::cli
