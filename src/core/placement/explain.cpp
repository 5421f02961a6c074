#include "core/placement/explain.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/core.h>

#include "core/placement/score.hpp"

namespace davit::placement {
namespace {

constexpr std::size_t kNodesNamed = 3;  // in hints that name a node

template <class Visit>
void for_each_member(Index const& index, Visit const& visit) {
  for (std::size_t i = 0; i < index.size(); ++i) {
    if (index.room(NodeIx(i)).condition.is_member) visit(NodeIx(i));
  }
}

std::optional<Filter> only_rejection(Request const& request, Sight const& sight) {
  std::optional<Filter> only;
  for (auto const& [filter, name] : model::EnumNames<Filter>::kAll) {
    if (!rejects(filter, request, sight)) continue;
    if (only) return std::nullopt;
    only = filter;
  }
  return only;
}

struct Ranked {
  GroupKey key;
  Verdict verdict;
};

// Of nodes that are spread over: the label's value. Those without it are one group.
std::string group_of(Traits const& traits, Search const& search) {
  auto const& label = search.request.kind.eligibility.spread_by;
  auto const found = label.empty() ? traits.labels.end() : traits.labels.find(label);
  return found == traits.labels.end() ? std::string() : found->second;
}

std::string use_text(Room const& room, model::Strategy strategy) {
  auto const percent = [](double share) { return fmt::format("{:.0f}%", share * 100); };
  switch (strategy) {
    case model::Strategy::Mix: {
      auto const shares = live_shares(room);
      return fmt::format("cpu {}, memory {}, load {} of its cores", percent(shares.cpu), percent(shares.memory), percent(shares.load));
    }
    case model::Strategy::Cpu: return fmt::format("cpu {}", percent(live_shares(room).cpu));
    case model::Strategy::Memory: return fmt::format("memory {}", percent(live_shares(room).memory));
    case model::Strategy::Load: return fmt::format("load {} of its cores", percent(live_shares(room).load));
    case model::Strategy::Binpack: return fmt::format("its instances take {}", percent(carried_share(room)));
    case model::Strategy::Spread: return fmt::format("{} instances of all services", room.instances);
  }
  return {};
}

// In the order in which nodes are compared: "2 in zone 'a', 1 of it here; cpu 12%, memory 30%, load 5% of its cores".
std::string standing_text(Search const& search, Sight const& sight, std::uint64_t in_group) {
  auto const& label = search.request.kind.eligibility.spread_by;
  auto const group = label.empty() ? std::string() : fmt::format("{} in {} '{}', ", in_group, label, group_of(sight.traits, search));
  return fmt::format("{}{} of it here; {}", group, sight.of_service, use_text(sight.room, search.request.kind.strategy));
}

// Rounded down, so that it fits: "1.2g", "812m".
std::string memory_text(std::int64_t bytes) {
  constexpr std::int64_t kMiB = 1 << 20;
  constexpr std::int64_t kGiB = std::int64_t{1} << 30;
  if (bytes < kGiB) return fmt::format("{}m", bytes / kMiB);
  auto const tenths = bytes * 10 / kGiB;
  return tenths % 10 == 0 ? fmt::format("{}g", tenths / 10) : fmt::format("{}.{}g", tenths / 10, tenths % 10);
}

// What would do, gathered over the nodes that one thing alone keeps off.
class Hints {
 public:
  Hints(Request const& request) : request_(request) {}

  void add(Filter filter, Sight const& sight) {
    auto const free = sight.room.condition.capacity - sight.room.reserved;
    switch (filter) {
      case Filter::Memory: memory_ = std::max(memory_, free.memory); break;
      case Filter::Cpu: microcores_ = std::max(microcores_, free.microcores); break;
      case Filter::HostPort: wants_other_port_ = true; break;
      case Filter::MaxPerNode: most_ = most_ == 0 ? sight.of_service + 1 : std::min(most_, sight.of_service + 1); break;
      case Filter::Availability: name(fmt::format("davit node activate {}", sight.traits.name)); break;
      case Filter::Status: name(fmt::format("node {} back", sight.traits.name)); break;
      case Filter::Engine: name(fmt::format("the engine of {} back", sight.traits.name)); break;
      case Filter::Constraint:
      case Filter::Platform: is_constrained_ = true; break;
      case Filter::Role:
      case Filter::Volume:
      case Filter::Refused: break;
    }
  }

  std::vector<std::string> take() {
    std::vector<std::string> all;
    if (memory_ >= 1 << 20) all.push_back(fmt::format("reservation {}", memory_text(memory_)));
    if (microcores_ >= 10'000) all.push_back(fmt::format("reservation of {:.4g} cores", static_cast<double>(microcores_ / 10'000) / 100));
    if (wants_other_port_) all.emplace_back("another published port, or none");
    if (most_ > 0) all.push_back(fmt::format("max_replicas_per_node {}", most_));
    for (auto& hint : named_) all.push_back(std::move(hint));
    if (all.empty() && is_constrained_) {
      for (auto const& each : request_.kind.eligibility.constraints) all.push_back(fmt::format("a node with {}", to_text(each)));
    }
    return all;
  }

 private:
  void name(std::string hint) {
    if (named_.size() < kNodesNamed) named_.push_back(std::move(hint));
  }

  Request const& request_;
  std::int64_t memory_ = 0;
  std::int64_t microcores_ = 0;
  std::uint32_t most_ = 0;
  bool wants_other_port_ = false;
  bool is_constrained_ = false;
  std::vector<std::string> named_;
};

}  // namespace

std::vector<Verdict> judge(Index const& index, Search const& search) {
  std::map<std::string, std::uint64_t> in_groups;
  for_each_member(index, [&](NodeIx node) {
    auto const& traits = index.traits(node);
    auto& in_group = in_groups[group_of(traits, search)];
    if (matches_all(traits, search.request.kind.eligibility.constraints)) in_group += search.tally.at(node);
  });
  std::vector<Ranked> all;
  for_each_member(index, [&](NodeIx node) {
    auto const sight = index.sight(node, search);
    auto const strategy = search.request.kind.strategy;
    if (auto const filter = first_rejection(search.request, sight)) {
      all.push_back({{kUnfit<GroupKey>.in_group, kUnfit<Key>}, {node, filter, detail(*filter, search.request, sight), std::nullopt}});
      return;
    }
    auto const in_group = in_groups.at(group_of(sight.traits, search));
    GroupKey const key{in_group, key_of(sight.of_service, burden(sight.room, strategy), index.tie_break(node))};
    all.push_back({key, {node, std::nullopt, standing_text(search, sight, in_group), score(sight.room, strategy)}});
  });
  std::ranges::sort(all, {}, [](Ranked const& each) { return std::pair(each.key, each.verdict.node); });
  std::vector<Verdict> verdicts;
  verdicts.reserve(all.size());
  for (auto& each : all) verdicts.push_back(std::move(each.verdict));
  return verdicts;
}

std::vector<std::string> would_fit(Index const& index, Search const& search) {
  Hints hints(search.request);
  for_each_member(index, [&](NodeIx node) {
    auto const sight = index.sight(node, search);
    if (auto const filter = only_rejection(search.request, sight)) hints.add(*filter, sight);
  });
  return hints.take();
}

Shortfall shortfall(Index const& index, Search const& search, std::string_view service) {
  std::map<Filter, std::size_t> counts;
  std::optional<model::Reason> reason;
  std::string only_detail;
  std::size_t nodes = 0;
  bool lacks_room = false;
  for_each_member(index, [&](NodeIx node) {
    auto const sight = index.sight(node, search);
    auto const filter = first_rejection(search.request, sight);
    if (!filter) return;
    ++counts[*filter];
    auto const why = reason_of(*filter, sight);
    lacks_room = lacks_room || is_for_room(why);  // filters of room are the last to be asked
    reason = !reason || *reason == why ? why : model::Reason::NoNodeFits;
    only_detail = nodes++ == 0 ? detail(*filter, search.request, sight) : std::string();
  });
  if (counts.empty()) return {model::Reason::NoNodeFits, "no node fits: none has joined yet"};
  std::string text;
  for (auto const& [filter, count] : counts) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, model::to_string(filter));
  if (!only_detail.empty()) text += fmt::format(" ({})", only_detail);
  return {*reason, fmt::format("no node fits: {}; davit service explain {}", text, service), lacks_room};
}

bool is_for_room(model::Reason reason) {
  using model::Reason;
  return reason == Reason::NotEnoughCpu || reason == Reason::NotEnoughMemory || reason == Reason::HostPortInUse ||
         reason == Reason::PortsExhausted || reason == Reason::MaxPerNode;
}

}  // namespace davit::placement
