// Many nodes for one master: the agents' end of the link, whose agents admit all that they are not told to refuse and run it at once.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ports/link.hpp"
#include "ports/loop.hpp"

namespace davit::sim {

class FakeNodes final : public ports::AgentLink {
 public:
  explicit FakeNodes(ports::Loop& loop) : loop_(loop) {}

  void join(NodeId node, std::string name, std::string platform = "linux/amd64");
  // From now on it neither hears nor speaks.
  void cut(NodeId node) { nodes_.at(node).is_cut = true; }
  // Its agent tells that each of its instances uses so much.
  void measure(NodeId node, model::InstanceUse use);
  // The names of the nodes that run the service's instances, ascending.
  std::vector<std::string> running(std::string const& service) const;
  std::vector<std::pair<NodeId, InstanceId>> const& offers() const { return offers_; }  // all there were, in order

  std::function<bool(NodeId, model::RunInstance const&)> refuses = [](NodeId, model::RunInstance const&) { return false; };
  model::NodeLoad load;  // of every node

  void receive(Handlers handlers) override { handlers_ = std::move(handlers); }
  void send(NodeId node, model::ToAgent message, Monotonic valid_until) override;

 private:
  struct Node {
    model::NodeFacts facts;
    std::map<InstanceId, model::InstanceReport> instances;
    std::uint64_t incarnation = 0;
    std::unique_ptr<ports::Timer> next_beat;
    bool is_cut = false;
  };
  void on(NodeId id, model::Welcome const& message) { nodes_.at(id).incarnation = message.incarnation; }
  void on(NodeId id, model::FenceShards const& message);
  void on(NodeId id, model::RunInstance const& message);
  void on(NodeId id, model::StopInstance const& message);
  void on(NodeId id, model::BeatBack const& message);
  void on(NodeId, model::DirectoryChanged const&) {}
  void say(NodeId id, model::ToMaster message);

  ports::Loop& loop_;
  Handlers handlers_;
  std::map<NodeId, Node> nodes_;
  std::vector<std::pair<NodeId, InstanceId>> offers_;
};

}  // namespace davit::sim
