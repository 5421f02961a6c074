// A container engine in memory: what it holds outlives the process under test, as a real engine does. Calls take virtual
// time, take effect in its middle, and do so even when the caller is gone by then. Images behave by their names:
//   ok…      runs until it is stopped            crash…   exits with 3 after 50 ms        sick…   turns unhealthy after 1 s
//   slow…    must be pulled, which takes 5 s     broken…  the engine refuses to start it  none…   is in no registry
//   well…    turns healthy after 1 s             known…   came from a registry and has a digest  calm…  exits with 0 when stopped
// A test may fail any call, before or after it took effect.
// Control thread (of the virtual loop) only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "ports/engine.hpp"
#include "sim/virtual_loop.hpp"

namespace davit::sim {

class FakeDocker {
 public:
  struct Container {
    model::ContainerDetail detail;
    std::string image;
    std::uint64_t starts = 0;
  };

  FakeDocker(VirtualLoop& loop, std::uint64_t seed) : loop_(loop), random_(seed) {}

  std::map<std::string, Container> const& containers() const { return containers_; }
  std::vector<std::string> running() const;  // names
  Container const* find(std::string const& id_or_name) const;

  // What somebody else does to a container.
  void kill(std::string const& name, std::int64_t exit_code);
  void remove(std::string const& name);
  void pause(std::string const& name, bool paused);
  void touch(std::string const& name);                       // the engine tells of a change that was none
  void forget_port_names();
  void lose_events(bool lost) { events_lost_ = lost; }       // from now on, or no more
  void add_foreign(std::string const& name, std::map<std::string, std::string> labels, std::vector<std::uint16_t> ports = {});
  void go_away();    // calls fail from now on; containers go on running
  void come_back();
  bool is_away() const { return away_; }

  // How one call fails: its caller is told `error`, whether or not it `is_done` all the same.
  struct Fault {
    Error error;
    bool is_done = false;
  };
  // Asked for each call, with its number from 1 on; nothing means that it goes well.
  std::function<std::optional<Fault>(std::uint64_t number, model::EngineCall const& call)> on_call;
  std::uint64_t calls() const { return calls_; }

 private:
  friend class FakeEngine;
  using Reply = Result<model::EngineReply>;

  Reply perform(model::EngineCall const& call);
  Reply on(model::InspectImage const& call);
  Reply on(model::PullImage const& call);
  Reply on(model::CreateContainer const& call);
  Reply on(model::StartContainer const& call);
  Reply on(model::StopContainer const& call);
  Reply on(model::KillContainer const& call);
  Reply on(model::RemoveContainer const& call);
  Reply on(model::InspectContainer const& call);
  Reply on(model::ListContainers const& call);
  Reply on(model::ReadStats const& call);
  Reply on(model::ReadEngineInfo const& call);
  Container* get(std::string const& id_or_name);
  void end(Container& container, std::int64_t exit_code);
  void after(Duration wait, std::function<void()> then);
  void hint(model::EngineHint hint);
  Duration latency();

  VirtualLoop& loop_;
  std::mt19937_64 random_;
  std::map<std::string, Container> containers_;  // by id
  std::set<std::string> pulled_;
  std::vector<std::pair<std::weak_ptr<bool>, std::function<void(model::EngineHint)>>> watchers_;
  std::map<std::uint64_t, std::unique_ptr<ports::Timer>> timers_;
  std::uint64_t next_ = 1;
  std::uint64_t calls_ = 0;
  bool away_ = false;
  bool events_lost_ = false;
};

// One process's connection to it; dies with the process.
class FakeEngine final : public ports::Engine {
 public:
  FakeEngine(VirtualLoop& loop, FakeDocker& docker) : loop_(loop), docker_(docker) {}

  void call(model::EngineCall call, Monotonic deadline, ports::Done<model::EngineReply> done) override;
  void watch(std::function<void(model::EngineHint)> on_hint) override;
  std::unique_ptr<ports::LogReader> read_logs(ports::LogQuery, std::function<void(ports::LogLine)>, std::function<void(Status)>) override {
    return nullptr;
  }
  void stop() override { alive_.reset(); }

 private:
  VirtualLoop& loop_;
  FakeDocker& docker_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace davit::sim
