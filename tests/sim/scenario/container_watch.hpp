// What runs, by the engines' own truth: every run of every container of ours, looked at every few milliseconds. The guarantees of a
// scenario are judged by it, and its trace is told by it.
#pragma once

#include <compare>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/cluster/cluster.hpp"

namespace davit::sim {

// A container from a start to its end.
struct ContainerRun {
  std::string service;
  std::string uid;
  std::int64_t slot = 0;
  std::int64_t revision = 0;
  std::string node;
  std::string container;  // its name
  Monotonic from{};
  std::optional<Monotonic> to;
  bool is_well = false;  // as of the last look: not paused, and healthy where there is a check
  bool is_marked = false;
};
std::string slot_name(ContainerRun const& run);  // "web.2"

class ContainerWatch {
 public:
  using Told = std::function<void(ContainerRun const& run, model::ContainerDetail const* ended)>;

  ContainerWatch(Cluster& cluster, Told told) : cluster_(cluster), told_(std::move(told)) {}

  void look();
  // From here on: what runs now is to be left alone, and minima begin anew.
  void mark();

  std::vector<ContainerRun> const& runs() const { return runs_; }
  Monotonic marked_at() const { return marked_at_; }
  std::vector<ContainerRun const*> running(std::string_view service) const;
  std::size_t slots_well(std::string_view service) const;
  std::size_t fewest_since_mark(std::string const& service) const;
  // How long at a stretch one slot of it was filled twice, at most.
  Duration longest_double(std::string const& service) const;

 private:
  struct Key {
    std::string node;
    std::string id;
    std::uint64_t start = 0;
    friend auto operator<=>(Key const&, Key const&) = default;
  };
  using Slot = std::pair<std::string, std::int64_t>;  // uid and slot

  void look_at(AgentNode& agent, std::map<Key, std::size_t>& seen);
  void count(Monotonic now);

  Cluster& cluster_;
  Told told_;
  std::vector<ContainerRun> runs_;
  std::map<Key, std::size_t> open_;
  Monotonic marked_at_{};
  std::map<std::string, std::size_t> fewest_;
  std::map<Slot, Monotonic> doubled_since_;
  std::map<std::string, Duration> longest_double_;
};

}  // namespace davit::sim
