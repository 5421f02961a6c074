// The agents' end of the link for tests of the API: admits every instance and reports what its image's name says.
//   ok…  runs at once     none…  cannot be pulled     wait…  stays in preparation until proceed()
// Control thread of its loop.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "ports/link.hpp"
#include "ports/loop.hpp"

namespace davit::api {

class FakeAgent final : public ports::AgentLink {
 public:
  FakeAgent(ports::Loop& loop, std::string node) : loop_(loop) { facts_.name = std::move(node), facts_.id = {77}; }

  std::vector<model::Role> roles{model::Role::Master, model::Role::Worker};

  // The node says hello.
  void join();
  void set_engine(bool up);
  void set_own_labels(std::map<std::string, std::string> labels);
  // Every instance uses so much.
  void measure(model::InstanceUse use);
  void set_load(model::NodeLoad load) { load_ = load; }  // from the next beat on
  // Those in preparation run from now on.
  void proceed();

  NodeId id() const { return facts_.id; }
  void receive(Handlers handlers) override { handlers_ = std::move(handlers); }
  void send(NodeId node, model::ToAgent message, Monotonic valid_until) override;

 private:
  void on(model::Welcome const& message) { incarnation_ = message.incarnation; }
  void on(model::FenceShards const& message);
  void on(model::RunInstance const& order);
  void on(model::StopInstance const& order);
  void on(model::BeatBack const& stamp);
  void on(model::DirectoryChanged const&) {}
  void say(model::ToMaster message);
  void report(model::InstanceReport const& report) { say(model::InstanceChanged{report}); }

  ports::Loop& loop_;
  model::NodeFacts facts_;
  model::NodeLoad load_;
  std::map<InstanceId, model::InstanceReport> instances_;
  Handlers handlers_;
  std::uint64_t incarnation_ = 0;
  std::unique_ptr<ports::Timer> next_beat_ = loop_.make_timer();
};

}  // namespace davit::api
