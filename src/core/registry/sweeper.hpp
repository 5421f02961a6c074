// Takes the entries of nodes that are down out of the registry, where their own agent of it is gone and so cannot: the coordinator's part.
// Where that agent lives, it lets the entries become critical for want of food, and forgets them; erased elsewhere, they would come back.
// Owned by a RegistryDriver; no I/O, clock or log call.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/registry/registrar.hpp"

namespace davit::registry {

class Sweeper {
 public:
  // The nodes that are down now, by name; none where another master coordinates. A node is swept once for each time that it goes down.
  struct Down {
    ClusterId cluster;
    std::map<NodeId, std::string> nodes;
  };
  using Event = std::variant<Down, CallDone, Tick>;

  void step(Now now, Event const& event, Actions& actions);
  Monotonic wake_at() const;

 private:
  struct Node {
    std::string name;
    bool is_swept = false;
    Monotonic look_at{};
    OpId look_op = 0;
    std::vector<model::SpreadEntry> to_erase;
    std::set<OpId> erase_ops;
    std::size_t erased = 0;
    std::uint32_t looks = 0;
  };
  std::size_t looks_under_way() const;

  void on(Down const& event);
  void on(CallDone const& event);
  void on(Tick const&) {}
  void on_looked(Node& node, Result<model::RegistryReply> const& outcome);
  void on_erased(Node& node, OpId op, Result<model::RegistryReply> const& outcome);
  void send_due();
  OpId call(model::RegistryCall what);

  ClusterId cluster_;
  std::map<NodeId, Node> nodes_;
  OpId next_op_ = 1;

  // Of the step in progress.
  Now now_{};
  Actions* out_ = nullptr;
};

}  // namespace davit::registry
