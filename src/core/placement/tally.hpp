// How many instances of one service each node has. A value; part of what its owner keeps of the service.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/node_ix.hpp"

namespace davit::placement {

// Most services are on few nodes: a sorted list. One that is on most of the nodes has an array over all of them, which is smaller then.
class Tally {
 public:
  struct Entry {
    model::NodeIx node;
    std::uint32_t count = 0;
    friend bool operator==(Entry const&, Entry const&) = default;
  };
  static constexpr std::size_t kMostListed = 256;  // a list of more may be an array

  void add(model::NodeIx node);
  void remove(model::NodeIx node);
  std::uint32_t at(model::NodeIx node) const;
  std::size_t size() const { return nodes_; }  // of nodes
  // By node; none is zero. For up to kMostListed nodes.
  std::span<Entry const> entries() const;

 private:
  void spread_out();

  std::size_t nodes_ = 0;
  std::vector<Entry> list_;            // ascending
  std::vector<std::uint32_t> counts_;  // by NodeIx, in place of the list; empty: the list counts
};

}  // namespace davit::placement
