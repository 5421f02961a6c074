// A Docker Engine in memory, on virtual time: one per simulated machine. It outlives the processes that speak with it, each
// through a FakeEngine of its own, and everything that a test may do to an engine is done here. Cheap: an idle engine with running
// containers sets no timer but those of its containers' own programs. The same seed and the same calls give the same trace.
//
//   what fails                    how
//   one call, in any way          on_call: an error, though it was done or not; or no answer at all
//   all calls of a kind, slowly   delay<model::StartContainer>(20s); a slow pull by the catalogue's Image::pull_time
//   a start, a container's life   the catalogue's Program: start_error, exit code, memory, health, signals it ignores
//   events                        lose_events(1) … lose_events(0), or one in eight by lose_events(8)
//   the engine hangs              freeze() … thaw(): nothing is answered, watchers learn of it after 10 s, what was asked is done late
//   the engine crashes            crash(Fate::LiveOn) … start(): what was on its way is lost, containers run on
//   the machine crashes           crash(Fate::Die) … start(), and stop the FakeEngines of its processes
//   its disk                      set_disk_full(), remove_image(), wipe_disk() as when the machine comes back with an empty one
//
// Containers do what a Catalogue says, by default by the names of their images (engine_program.hpp). Control thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "ports/engine.hpp"
#include "ports/loop.hpp"
#include "sim/engine_calls.hpp"
#include "sim/engine_containers.hpp"
#include "sim/engine_images.hpp"
#include "sim/engine_logs.hpp"
#include "sim/engine_pulls.hpp"
#include "sim/engine_watchers.hpp"

namespace davit::sim {

struct FakeDockerOptions {
  std::uint64_t seed = 1;   // of latencies and lost events; also in the containers' ids: one of its own for each engine
  Duration latency = 40ms;  // at most, of each call on each way
  Catalogue catalogue = images_by_name();
  std::function<Wall()> wall;  // the clock of its machine; empty: the loop's
  model::EngineInfo info{.version = "20.10", .api_version = "1.41", .platform = "linux/amd64", .cpus = 4, .memory = {8LL << 30}};
};

class FakeDocker {
 public:
  enum class Fate : std::uint8_t { LiveOn, Die };

  explicit FakeDocker(ports::Loop& loop, FakeDockerOptions options = {});
  FakeDocker(FakeDocker const&) = delete;
  FakeDocker& operator=(FakeDocker const&) = delete;

  std::map<std::string, FakeContainer> const& containers() const { return containers_.all(); }  // by id
  std::vector<std::string> running() const;                                                     // names, sorted
  FakeContainer const* find(std::string const& id_or_name) const { return containers_.find(id_or_name); }

  // What somebody else does to a container; nothing where there is none of that name.
  void kill(std::string const& name, std::int64_t exit_code);
  void kill_for_memory(std::string const& name);
  void remove(std::string const& name);
  void pause(std::string const& name, bool paused);
  void touch(std::string const& name);  // the engine tells of a change that was none
  void add_foreign(std::string const& name, std::map<std::string, std::string> labels, std::vector<std::uint16_t> ports = {});

  void crash(Fate containers);
  void start();
  bool is_up() const { return is_up_; }
  void freeze();
  void thaw();
  void lose_events(unsigned one_in) { lose_one_event_in_ = one_in; }  // from now on; 1: all, 0: none
  void set_disk_full(bool full) { disk_is_full_ = full; }              // pulls and creations are refused
  void remove_image(std::string const& reference) { images_.remove(reference); }
  void wipe_disk();

  // What one call comes to, instead of what it would.
  struct Fault {
    std::optional<Error> error;  // what its caller is told; none: nothing, until its deadline
    bool is_done = false;        // and yet it takes effect
  };
  // Asked for each call, with its number from 1 on; nothing means that it goes well.
  std::function<std::optional<Fault>(std::uint64_t number, model::EngineCall const& call)> on_call;
  std::uint64_t calls() const { return calls_begun_; }
  // Told of each change of a container, whatever watchers are told; of one that is gone too.
  std::function<void(FakeContainer const&)> on_change = [](FakeContainer const&) {};
  // Each such call takes so much longer to arrive, from now on.
  template <class Call>
  void delay(Duration longer) {
    delays_[model::EngineCall(Call{}).index()] = longer;
  }

 private:
  friend class FakeEngine;
  using Reply = EngineCalls::Reply;
  using Flight = EngineCalls::Flight;

  // For FakeEngine; a caller is one process's connection.
  std::uint64_t connect() { return ++callers_; }
  void disconnect(std::uint64_t caller);
  void call(std::uint64_t caller, model::EngineCall call, Monotonic deadline, ports::Done<model::EngineReply> done);
  std::unique_ptr<ports::LogReader> read_logs(std::uint64_t caller, ports::LogQuery query, std::function<void(ports::LogLine)> on_line,
                                              std::function<void(Status)> on_end);

  EngineCalls::Course course_of(std::uint64_t number, model::EngineCall const& call);
  Duration latency();
  void perform(Flight const& flight);
  // Answered at once …
  Reply on(model::InspectImage const& call);
  Reply on(model::CreateContainer const& call);
  Reply on(model::StartContainer const& call);
  Reply on(model::KillContainer const& call);
  Reply on(model::RemoveContainer const& call);
  Reply on(model::InspectContainer const& call);
  Reply on(model::ListContainers const& call);
  Reply on(model::ReadStats const& call);
  Reply on(model::ReadEngineInfo const& call);
  // … and later.
  void begin(Flight const& flight, model::PullImage const& call);
  void begin(Flight const& flight, model::StopContainer const& call);

  std::string new_id();
  void tell(FakeContainer const& container, model::EngineHint event);

  ports::Loop& loop_;
  FakeDockerOptions options_;
  std::mt19937_64 random_;
  EngineImages images_;
  EngineLogs logs_;
  EngineWatchers watchers_;
  EngineContainers containers_;
  EngineCalls calls_;
  EnginePulls pulls_;
  std::map<std::size_t, Duration> delays_;  // by the call's index in EngineCall
  std::uint64_t callers_ = 0;
  std::uint64_t calls_begun_ = 0;
  std::uint64_t ids_ = 0;
  bool is_up_ = true;
  bool is_frozen_ = false;
  unsigned lose_one_event_in_ = 0;
  bool disk_is_full_ = false;
};

}  // namespace davit::sim
