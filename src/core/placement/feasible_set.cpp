#include <map>

#include "core/placement/filter.hpp"
#include "core/placement/ranking.hpp"

namespace davit::placement {

FeasibleSet feasible_set(std::span<Traits const> nodes, Eligibility const& wanted) {
  std::map<std::string_view, std::vector<NodeIx>> groups;  // nodes without the label are a group of their own
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    auto const& traits = nodes[i];
    if (!matches_all(traits, wanted.constraints)) continue;
    auto const label = wanted.spread_by.empty() ? traits.labels.end() : traits.labels.find(wanted.spread_by);
    groups[label == traits.labels.end() ? std::string_view() : std::string_view(label->second)].push_back(NodeIx(i));
  }
  FeasibleSet set;
  set.positions.assign(nodes.size(), FeasibleSet::kNowhere);
  set.group_begins.push_back(0);
  for (auto const& [value, members] : groups) {
    auto const group = static_cast<std::uint32_t>(set.groups());
    for (auto const node : members) {
      set.positions[to_index(node)] = static_cast<std::uint32_t>(set.nodes.size());
      set.nodes.push_back(node);
      set.group_of.push_back(group);
    }
    set.group_begins.push_back(static_cast<std::uint32_t>(set.nodes.size()));
  }
  return set;
}

}  // namespace davit::placement
