// What the list commands share: the options that say how to show a list, and showing it.
#pragma once

#include <vector>

#include "base/result.hpp"
#include "cli/session.hpp"
#include "cli/table.hpp"

namespace davit::cli {

// --filter (with the keys in its help), --format and --quiet.
std::vector<Option> list_options(std::vector<std::string> const& filter_keys);

// As JSON, by --format, the first column alone with --quiet, or as a table. Gives the exit code 0.
Result<int> show_list(Session& session, Invocation const& invocation, codec::Value const& list, Table const& table);

}  // namespace davit::cli
