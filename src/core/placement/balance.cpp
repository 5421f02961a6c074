#include "core/placement/balance.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "core/placement/filter.hpp"
#include "core/placement/score.hpp"

namespace davit::placement {
namespace {

constexpr std::size_t kMostSights = 20'000;  // instances looked at, and nodes for them: some ten milliseconds

double share_with(Room room, Request const& request, int sign) {
  if (sign > 0) room.expected += request.expected;
  else room.expected -= request.expected;
  return carried_share(room);
}

class Balance {
 public:
  Balance(Index const& index, std::function<std::vector<Resident>(NodeIx)> const& residents_of)
      : index_(index),
        residents_of_(residents_of) {
    for (std::size_t i = 0; i < index.size(); ++i) {
      rooms_.push_back(index.room(NodeIx(i)));
      if (takes_part(rooms_[i])) by_share_.emplace(carried_share(rooms_[i]), NodeIx(i));
    }
    sources_ = by_share_;
  }

  // The fullest node that can give something away gives it to the emptiest that can take it.
  std::optional<Relocation> next() {
    while (!sources_.empty() && sights_left_ > 0) {
      auto const [share, from] = *std::prev(sources_.end());
      if (share <= by_share_.begin()->first) return std::nullopt;
      if (auto const found = best_from(from)) {
        carry_out(*found);
        return found;
      }
      sources_.erase(std::prev(sources_.end()));
    }
    return std::nullopt;
  }

 private:
  using Shares = std::set<std::pair<double, NodeIx>>;

  std::optional<Relocation> best_from(NodeIx from) {
    std::vector<ServiceUid> tried;  // instances of a service are like each other
    for (auto const& resident : residents_on(from)) {
      if (std::ranges::find(tried, resident.service) != tried.end()) continue;
      tried.push_back(resident.service);
      if (auto const to = target_of(resident, from); to != kNoNode) return Relocation{resident, from, to};
    }
    return std::nullopt;
  }

  // First those of services that are spread most unevenly between here and the emptiest node, then the larger ones.
  std::vector<Resident> residents_on(NodeIx from) {
    auto all = residents_of_(from);
    charge(all.size() + 1);
    std::erase_if(all, [&](Resident const& each) { return moved_.contains(each.id); });
    auto const emptiest = by_share_.begin()->second;
    auto const rank = [&](Resident const& each) {
      auto const slope = static_cast<std::int64_t>(count_of(each, from)) - count_of(each, emptiest);
      auto const& use = each.request->expected;
      return std::tuple(-slope, -use.memory, -use.microcores, each.service, each.slot, each.id);
    };
    std::ranges::sort(all, {}, rank);
    return all;
  }

  NodeIx target_of(Resident const& resident, NodeIx from) {
    auto const left = share_with(rooms_[to_index(from)], *resident.request, -1);
    for (auto const& [share, to] : by_share_) {
      if (share >= left || sights_left_ == 0) return kNoNode;
      charge(1);
      if (to != from && evens_out(rooms_[to_index(from)], rooms_[to_index(to)], *resident.request) && keeps_spread(resident, from, to) &&
          fits(resident, to))
        return to;
    }
    return kNoNode;
  }

  bool fits(Resident const& resident, NodeIx to) const {
    auto const seen = index_.sight(to, {.service = resident.service, .request = *resident.request, .tally = *resident.tally});
    auto const count = count_of(resident, to);
    if (!resident.request->ports.empty() && count > 0) return false;
    return !first_rejection(*resident.request,
                            {.traits = seen.traits, .room = rooms_[to_index(to)], .of_service = count, .taken_port = seen.taken_port});
  }

  bool keeps_spread(Resident const& resident, NodeIx from, NodeIx to) {
    if (count_of(resident, to) >= count_of(resident, from)) return false;
    auto const& label = resident.request->kind.eligibility.spread_by;
    if (label.empty()) return true;
    auto const here = value_of(from, label);
    auto const there = value_of(to, label);
    if (here == there) return true;
    std::uint32_t count_here = 0;
    std::uint32_t count_there = 0;
    for (std::size_t i = 0; i < rooms_.size(); ++i) {
      auto const value = value_of(NodeIx(i), label);
      if (value == here) count_here += count_of(resident, NodeIx(i));
      if (value == there) count_there += count_of(resident, NodeIx(i));
    }
    charge(rooms_.size());
    return count_there < count_here;
  }

  std::string value_of(NodeIx node, std::string const& label) const {
    auto const& labels = index_.traits(node).labels;
    auto const found = labels.find(label);
    return found == labels.end() ? std::string() : found->second;
  }

  std::uint32_t count_of(Resident const& resident, NodeIx node) const {
    auto const shift = shifts_.find({resident.service, node});
    auto const count = static_cast<std::int64_t>(resident.tally->at(node)) + (shift == shifts_.end() ? 0 : shift->second);
    return static_cast<std::uint32_t>(count);
  }

  void charge(std::size_t sights) { sights_left_ -= std::min(sights_left_, sights); }

  void carry_out(Relocation const& move) {
    moved_.insert(move.what.id);
    --shifts_[{move.what.service, move.from}];
    ++shifts_[{move.what.service, move.to}];
    change(move.from, *move.what.request, -1);
    change(move.to, *move.what.request, +1);
  }

  void change(NodeIx node, Request const& request, int sign) {
    auto& room = rooms_[to_index(node)];
    auto const before = std::pair(carried_share(room), node);
    room.instances = static_cast<std::uint32_t>(static_cast<std::int64_t>(room.instances) + sign);
    if (sign > 0) room.expected += request.expected, room.reserved += request.kind.reserved;
    else room.expected -= request.expected, room.reserved -= request.kind.reserved;
    auto const after = std::pair(carried_share(room), node);
    by_share_.erase(before);
    by_share_.insert(after);
    if (sources_.erase(before) > 0) sources_.insert(after);
  }

  Index const& index_;
  std::function<std::vector<Resident>(NodeIx)> const& residents_of_;
  std::vector<Room> rooms_;  // as they are after the moves so far
  Shares by_share_;
  Shares sources_;           // those that may have something to give away
  std::map<std::pair<ServiceUid, NodeIx>, std::int64_t> shifts_;  // of the tallies, by the moves so far
  std::set<InstanceId> moved_;
  std::size_t sights_left_ = kMostSights;
};

}  // namespace

bool evens_out(Room const& from, Room const& to, Request const& request) {
  return share_with(to, request, +1) <= share_with(from, request, -1);
}

std::vector<Relocation> balance(Index const& index, std::function<std::vector<Resident>(NodeIx)> const& residents_of, std::size_t most) {
  Balance state(index, residents_of);
  std::vector<Relocation> all;
  while (all.size() < most) {
    auto const next = state.next();
    if (!next) break;
    all.push_back(*next);
  }
  return all;
}

}  // namespace davit::placement
