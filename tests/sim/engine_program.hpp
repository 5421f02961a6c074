// What is in an image and what a container of it does, in place of a registry and of real processes. Plain values.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "base/units.hpp"
#include "model/engine.hpp"
#include "ports/engine.hpp"

namespace davit::sim {

struct Image {
  bool is_here = true;         // on every engine from the beginning; otherwise it must be pulled
  bool is_in_registry = true;  // can be pulled
  bool has_healthcheck = false;
  std::string digest;          // "sha256:…"; empty: it came from no registry
  Duration pull_time = 5s;
  std::int64_t bytes = 100'000'000;  // for the progress of a pull
};

struct Exit {
  std::int64_t code = 0;
  bool oom_killed = false;
};

// One run of a container, from its start.
struct Program {
  struct Output {
    std::string text;
    ports::LogStream stream = ports::LogStream::Stdout;
  };
  struct Reaction {
    Exit exit;
    std::vector<Output> last_words;
  };
  struct Check {
    model::Health verdict = model::Health::Healthy;
    std::string output;
    Duration after = 1s;  // until then the container's health is `starting`
  };

  std::optional<Error> start_error;  // it cannot be started, and this is why
  std::vector<Output> prints;        // at its start …
  std::optional<Duration> prints_every;  // … and again after each such time
  std::optional<Duration> runs_for;  // and then ends by itself; absent: it runs until somebody ends it
  Exit exit;
  std::map<std::string, Reaction> on_signal;  // others are ignored, as a container's first process does; KILL ends it always
  Check check;                       // what the healthcheck finds, where there is one
  double cpus = 0.01;
  Bytes memory{32 << 20};
};

// The world outside an engine: what is in the registry, and what a container does. Must depend on its arguments alone.
struct Catalogue {
  std::function<std::optional<Image>(std::string const& reference)> image;
  // `wanted` with its whole environment: the spec's and Davit's.
  std::function<Program(model::CreateContainer const& wanted)> program;
};

// Images behave by their names:
//   ok…      runs until it is stopped            crash…   exits with 3 after 50 ms        sick…   turns unhealthy after 1 s
//   slow…    must be pulled, which takes 5 s     broken…  the engine refuses to start it  none…   is in no registry
//   well…    turns healthy after 1 s             known…   came from a registry and has a digest  calm…  exits with 0 when stopped
//   greedy…  is killed for its memory after 1 s  done…    exits with 0 after 1 s          stubborn…  ignores its stop signal
Catalogue images_by_name();

}  // namespace davit::sim
