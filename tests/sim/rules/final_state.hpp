// Rule: once faults have ended, what runs is what the journal wants (design.md §12.4): one running container for each slot, of the current
// revision, and nothing else of this installation anywhere. By the engines' own truth, not by what anybody reports.
#pragma once

#include <string>
#include <vector>

#include "sim/cluster/cluster.hpp"
#include "sim/rules/journal_rule.hpp"

namespace davit::sim {

// Why it is not so, in words; empty when it is.
std::vector<std::string> differences(Cluster const& cluster, JournalRule const& journals);

}  // namespace davit::sim
