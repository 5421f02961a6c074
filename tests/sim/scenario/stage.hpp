// What a scenario is played on: a simulated cluster without faults of its own, the rules that hold for every run, and the watch and the
// story that are told of it. Things go by name: m1 w2 s3, and names that the scenario has given (`let`).
// Owned by the player of one scenario.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sim/observers.hpp"
#include "sim/rules/rules.hpp"
#include "sim/scenario/container_watch.hpp"
#include "sim/scenario/story.hpp"

namespace davit::sim {

class Stage {
 public:
  Stage(Cluster::Size size, std::uint64_t seed);
  ~Stage();
  Stage(Stage const&) = delete;
  Stage& operator=(Stage const&) = delete;

  // Fails when a rule is broken.
  Status advance(Duration by);
  // Until `missing` says nothing more, or fails with what it says.
  Status wait_for(std::function<std::string()> const& missing, Duration limit);

  Cluster& cluster() { return cluster_; }
  JournalRule const& journals() const { return rules_.journals(); }
  ContainerWatch& watch() { return watch_; }
  Story& story() { return story_; }
  Observer& observer() { return observers_; }
  Monotonic now() const { return loop_.now().monotonic; }

  // ---- names
  void let(std::string const& name, std::string const& value) { names_[name] = value; }
  std::string resolve(std::string const& name) const;
  Result<MasterNode*> master(std::string const& name);
  Result<AgentNode*> agent(std::string const& name);
  Result<StoreMember*> member(std::string const& name);
  Result<Machine*> machine(std::string const& name);  // of a master or an agent
  Result<HostId> host(std::string const& name);
  std::vector<HostId> all_hosts() const;
  Result<std::string> owner_of(std::string const& service);
  Result<std::string> coordinator();
  bool has_session(MasterNode& master);
  Result<std::string> holder_of(std::string const& slot);  // "db.1", by the record of a slot that must not be doubled
  Result<model::Head const*> head(std::string const& service) const;

  // ---- what the scenario's commands leave behind
  struct Request {
    model::Command command;
    std::vector<Result<model::Applied>> answers;
  };
  std::map<std::string, Request>& requests() { return requests_; }
  std::vector<std::pair<HostId, HostId>>& cuts() { return cuts_; }

 private:
  void follow_sessions();

  VirtualLoop loop_;
  Findings findings_;
  Observers observers_;
  Rules rules_;
  Story story_;
  Cluster cluster_;
  ContainerWatch watch_;
  std::uint64_t subscription_ = 0;
  std::int64_t followed_ = 0;  // the store's revision
  std::map<std::string, std::string> names_;
  std::map<std::string, Request> requests_;
  std::vector<std::pair<HostId, HostId>> cuts_;
};

}  // namespace davit::sim
