// Completion of the command line in a shell: the scripts ask the program itself (`davit __complete -- WORDS`). Pure but for
// the names, which the caller fetches.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.hpp"

namespace davit::cli {

// The names that the server knows for a kind of positional: "SERVICE" or "NODE".
using KnownNames = std::function<std::vector<std::string>(std::string_view kind)>;

// What may stand in place of the last of the words, which may be empty.
std::vector<std::string> completions(Registry const& registry, std::vector<std::string> const& words, KnownNames const& names);

// "bash" or "zsh"; "" for others.
std::string_view completion_script(std::string_view shell);

}  // namespace davit::cli
