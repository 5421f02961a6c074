// The nodes that are eligible for one kind of request, in the order in which they would be chosen.
//
// Nodes stand in groups, one for each value of the label that is spread over (else there is one group). The order is: the group
// with the fewest instances of the service, then the node with the fewest, then the strategy's burden, then a hash of the node.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/placement/node.hpp"
#include "core/placement/tournament.hpp"

namespace davit::placement {

// Built once for each set of constraints and shared by rankings. A node's position is its place in `nodes`.
struct FeasibleSet {
  static constexpr std::uint32_t kNowhere = 0xffffffff;

  std::vector<NodeIx> nodes;                 // by group, then ascending
  std::vector<std::uint32_t> positions;      // by NodeIx; kNowhere: not eligible
  std::vector<std::uint32_t> group_of;       // by position
  std::vector<std::uint32_t> group_begins;   // positions, ascending, with the end of the last

  std::uint32_t position(NodeIx node) const { return to_index(node) < positions.size() ? positions[to_index(node)] : kNowhere; }
  std::size_t groups() const { return group_begins.size() - 1; }
};

FeasibleSet feasible_set(std::span<Traits const> nodes, Eligibility const& wanted);

// Smaller is better: instances of the service on the node (20 bits), its burden (22), a hash of it (22).
using Key = std::uint64_t;
template <>
inline constexpr Key kUnfit<Key> = ~Key{0};
Key key_of(std::uint32_t count, std::uint32_t burden, std::uint32_t tie_break);

// The best node's key behind the instances in its group.
struct GroupKey {
  std::uint64_t in_group = 0;
  Key key = 0;
  friend auto operator<=>(GroupKey const&, GroupKey const&) = default;
};
template <>
inline constexpr GroupKey kUnfit<GroupKey>{~std::uint64_t{0}, ~Key{0}};

// A node as the ranking has it.
struct Standing {
  std::uint32_t count = 0;  // instances of the service
  Key key = kUnfit<Key>;
};

class Ranking {
 public:
  // A node that is judged apart, because the ranking does not know what this one request knows of it.
  struct Exception {
    std::uint32_t position = 0;
    std::uint32_t more = 0;  // instances of the service that the ranking does not count
    Key key = kUnfit<Key>;
  };

  // `standings` by position.
  Ranking(std::shared_ptr<FeasibleSet const> set, std::vector<Standing> const& standings);

  FeasibleSet const& set() const { return *set_; }
  void update(std::uint32_t position, Standing standing);
  // `exceptions` ascending by position, each once. Of equals: the first group, in it the first position.
  std::optional<NodeIx> best(std::span<Exception const> exceptions) const;

 private:
  struct Choice {
    GroupKey key = kUnfit<GroupKey>;
    std::uint32_t position = 0;
  };
  Choice best_in(std::uint32_t group, std::span<Exception const> exceptions) const;

  std::shared_ptr<FeasibleSet const> set_;
  std::vector<std::uint32_t> counts_;        // by position
  std::vector<std::uint32_t> group_counts_;
  std::vector<Tournament<Key>> groups_;
  Tournament<GroupKey> order_;  // of the groups
};

}  // namespace davit::placement
