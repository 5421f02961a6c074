// Which node gets the next instance, in O(log n) of the nodes.
//
// Owned by the Master; control thread; pure. It is told of every change of a node and of every instance that comes to a node or
// leaves it, and keeps for each kind of request a ranking of the eligible nodes, which catches up when it is asked. A service
// with instances on more than a few nodes gets a ranking of its own, in which they count.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/ids.hpp"
#include "core/placement/filter.hpp"
#include "core/placement/node.hpp"
#include "core/placement/ranking.hpp"
#include "core/placement/request.hpp"
#include "core/placement/tally.hpp"

namespace davit::placement {

// One instance in search of a node. What it refers to lives as long as the call.
struct Search {
  ServiceUid service;
  Request const& request;
  Tally const& tally;
  NodeIx only = kNoNode;  // the node that has the slot's volume
  std::span<Refusal const> refusals;
};

class Index {
 public:
  // Masters that place at the same time take different ones of equal nodes, if their seeds differ.
  explicit Index(std::uint64_t seed = 0) : seed_(seed) {}

  void set_node(NodeIx node, Traits traits, Condition const& condition);
  void set_measured(NodeIx node, std::optional<Measured> const& measured);

  // An instance comes to a node, and leaves it. `is_starting`: no measurement shows it yet.
  void add(NodeIx node, Request const& request, bool is_starting);
  void remove(NodeIx node, Request const& request, bool is_starting);
  // One that was added as starting runs now; from the next measurement on it is seen.
  void on_running(NodeIx node, Request const& request);

  std::optional<NodeIx> choose(Search const& search);
  void forget(ServiceUid service);

  std::size_t size() const { return rooms_.size(); }
  Traits const& traits(NodeIx node) const { return traits_[to_index(node)]; }
  Room const& room(NodeIx node) const { return rooms_[to_index(node)]; }
  std::uint32_t tie_break(NodeIx node) const { return tie_breaks_[to_index(node)]; }
  Sight sight(NodeIx node, Search const& search) const;
  std::uint64_t version() const { return forgotten_changes_ + changes_.size(); }  // grows with each change
  std::size_t rankings() const { return kinds_.size() + own_.size(); }

 private:
  struct Kept {
    Ranking ranking;
    std::uint64_t seen = 0;  // changes up to here are in it
  };
  struct Own {
    Request request;
    Kept kept;
  };

  void reset();
  void note_change(NodeIx node);
  void free_space(std::size_t wanted);
  std::shared_ptr<FeasibleSet const> set_for(Eligibility const& eligibility);
  Kept& ranking_of(Kind const& kind);
  Kept& own_ranking_of(Search const& search);
  template <class StandingOf>
  Kept build(Eligibility const& eligibility, StandingOf const& standing_of);
  template <class StandingOf>
  void catch_up(Kept& kept, StandingOf const& standing_of);
  using Takers = std::map<HostPort, std::vector<NodeIx>>;
  std::vector<Takers::const_iterator> takers_of(HostPort const& wanted) const;  // on any address that gets in its way
  std::optional<HostPort> taken_port(NodeIx node, std::vector<HostPort> const& wanted) const;
  Key key_at(NodeIx node, Kind const& kind, std::uint32_t count) const;
  Key own_key_at(NodeIx node, Request const& request, std::uint32_t count) const;
  bool collect_few(Search const& search, std::vector<NodeIx>& nodes) const;
  std::vector<Ranking::Exception> exceptions(FeasibleSet const& set, Search const& search, std::span<NodeIx const> nodes) const;

  std::uint64_t seed_ = 0;
  std::vector<Traits> traits_;
  std::vector<Room> rooms_;
  std::vector<std::uint32_t> tie_breaks_;
  Takers takers_;  // who has an instance that publishes on it; ascending
  std::map<Eligibility, std::shared_ptr<FeasibleSet const>> sets_;
  std::map<Kind, Kept> kinds_;
  std::map<ServiceUid, Own> own_;
  std::size_t places_ = 0;           // in all rankings
  std::vector<NodeIx> changes_;      // the newest
  std::uint64_t forgotten_changes_ = 0;  // how many came before those
};

}  // namespace davit::placement
