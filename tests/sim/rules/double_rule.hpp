// Rule: never two running containers of one slot that must not be doubled, over all engines (design.md §12.3).
// What no software prevents is borne for a moment:
// - a machine that was suspended wakes with what ran on it: until its guard, which wakes with it, has killed;
// - an engine obeys a start that was asked of it before the lease ended, and does so later: until the guard has looked.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "sim/cluster/cluster.hpp"
#include "sim/rules/findings.hpp"

namespace davit::sim {

class DoubleRule final : public Observer {
 public:
  DoubleRule(VirtualLoop const& loop, Findings& findings) : loop_(loop), findings_(findings) {}
  void watch(Cluster& cluster) { cluster_ = &cluster; }

  void on_container_changed(NodeId agent, model::ContainerDetail const& container) override;
  void look();  // now and then: what runs may have begun to without a change of its own

 private:
  struct Running {
    std::string name;
    Monotonic since{};
    bool is_late = false;  // its lease had ended before it began
  };
  using Slot = std::pair<std::string, std::string>;                // uid and number
  using Rivals = std::map<std::pair<NodeId, std::string>, Running>;  // by container

  void judge(Rivals const& rivals);

  VirtualLoop const& loop_;
  Findings& findings_;
  Cluster* cluster_ = nullptr;
  std::map<Slot, Rivals> running_;
};

}  // namespace davit::sim
