// The containers of one engine and what runs in them: created → running ⇄ paused → exited → running …, on virtual time.
// Owned by FakeDocker, which tells watchers and readers of logs what changed. Knows no calls and no faults.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/engine.hpp"
#include "ports/loop.hpp"
#include "sim/engine_logs.hpp"
#include "sim/engine_program.hpp"

namespace davit::sim {

// Of a slot that must not be doubled.
inline bool is_leased(model::ContainerDetail const& container) {
  auto const token = container.labels.find("davit.token");
  return token != container.labels.end() && token->second != "0";
}

struct FakeContainer {
  model::ContainerDetail detail;
  std::string image;
  std::uint64_t starts = 0;

  Program program;
  std::string stop_signal;
  bool is_checked = false;  // has a healthcheck
  bool has_tty = false;
  bool has_address = false;  // in some network
  std::shared_ptr<ContainerLog> log = std::make_shared<ContainerLog>();
  std::vector<std::unique_ptr<ports::Timer>> timers;  // of what this run does later
  // Stops under way: who waits, and when their patience ends.
  std::vector<std::function<void()>> waiting_for_end;
  std::vector<std::unique_ptr<ports::Timer>> graces;
  Monotonic started{};

  bool is_alive() const { return detail.state == model::ContainerState::Running || detail.state == model::ContainerState::Paused; }
};

class EngineContainers {
 public:
  // `on_change` runs after each change of a container's state or health, and for one that is gone.
  EngineContainers(ports::Loop& loop, std::function<Wall()> wall, std::function<void(FakeContainer const&)> on_change,
                   std::function<void()> on_output);

  std::map<std::string, FakeContainer> const& all() const { return all_; }  // by id
  FakeContainer* find(std::string const& id_or_name);
  FakeContainer const* find(std::string const& id_or_name) const { return const_cast<EngineContainers*>(this)->find(id_or_name); }

  FakeContainer& add(std::string id, model::CreateContainer const& wanted, Image const& image, Program program);
  FakeContainer& add_foreign(std::string id, std::string name, std::map<std::string, std::string> labels,
                             std::vector<std::uint16_t> const& ports);
  Status start(FakeContainer& container);
  // Its stop signal, and after the grace the end; `then` runs when it has ended, perhaps at once.
  void stop(FakeContainer& container, Duration grace, std::function<void()> then);
  void end(FakeContainer& container, Exit exit);
  void pause(FakeContainer& container, bool paused);
  void remove(FakeContainer& container);

  void forget_stops();         // nobody waits any more, and no grace ends: whoever counted it is gone
  void end_all(Exit exit);
  void clear() { all_.clear(); }

 private:
  void later(FakeContainer& container, Duration wait, std::function<void(FakeContainer&)> then);
  void run(FakeContainer& container);
  void print(FakeContainer& container, std::vector<Program::Output> const& outputs);
  void print_again(FakeContainer& container, ports::Timer& timer, Duration every);
  void signal(FakeContainer& container, std::string const& name);
  Status check_ports(FakeContainer const& container) const;

  ports::Loop& loop_;
  std::function<Wall()> wall_;
  std::function<void(FakeContainer const&)> on_change_;
  std::function<void()> on_output_;
  std::map<std::string, FakeContainer> all_;
};

}  // namespace davit::sim
