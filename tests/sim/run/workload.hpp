// The users of a simulated cluster: for each service one who creates, scales, changes, pauses, rolls back and removes it, through any
// master, and asks again with the same request id until he has an answer; and an operator who drains, labels and gives up nodes. Once told
// to settle, each gets his answers, puts right what cannot run, and rests. Owned by the run.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/cluster/cluster.hpp"
#include "sim/rules/journal_rule.hpp"

namespace davit::sim {

class Workload {
 public:
  Workload(Cluster& cluster, JournalRule const& journals, Observer& observer, Random random, std::size_t services);
  ~Workload();
  Workload(Workload const&) = delete;
  Workload& operator=(Workload const&) = delete;

  void start();
  void settle();
  std::vector<std::string> pending() const;
  std::uint64_t answered() const { return answered_; }

 private:
  struct Request {
    model::Command command;
    std::uint64_t tries = 0;
  };
  struct User {
    std::string service;
    Random random;
    std::uint64_t requests = 0;
    std::optional<Request> waiting;
    std::unique_ptr<ports::Timer> timer;
  };

  void act(User& user);
  std::optional<model::CommandBody> choose(User& user);
  std::optional<model::CommandBody> repair(User const& user) const;
  void ask(User& user, model::CommandBody body);
  void send(User& user);
  void on_answer(User& user, std::string const& request, Result<model::Applied> const& outcome);
  void operate();
  void rebalance(MasterNode& master);
  void set_all_active();
  model::ServiceSpec draw_spec(User& user);
  MasterNode& any_master(Random& random);

  Cluster& cluster_;
  JournalRule const& journals_;
  Observer& observer_;
  Random random_;
  std::vector<std::unique_ptr<User>> users_;
  std::unique_ptr<ports::Timer> operator_;
  bool is_settling_ = false;
  std::uint64_t answered_ = 0;
};

}  // namespace davit::sim
