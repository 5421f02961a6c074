// From the words of the command line to a command and its Invocation.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/command.hpp"

namespace davit::cli {

struct Parsed {
  Command const* command = nullptr;  // null: only a part of a path was given, or nothing
  std::vector<std::string> path;     // the words that were understood as one
  bool wants_help = false;
  bool wants_version = false;
  Invocation invocation;
};

// Docker's grammar: `davit [OPTIONS] GROUP COMMAND [OPTIONS] POSITIONALS`. Options for the server may also stand before the
// command. Errors are Code::Invalid and name what was probably meant.
Result<Parsed> parse(Registry const& registry, std::vector<std::string> const& words);

}  // namespace davit::cli
