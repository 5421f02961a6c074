#include "sim/engine_program.hpp"

namespace davit::sim {
namespace {

constexpr std::int64_t kTerminated = 128 + 15;
constexpr std::int64_t kKilled = 128 + 9;

std::optional<Image> image_by_name(std::string const& reference) {
  bool const is_nowhere = reference.starts_with("none");
  Image image;
  image.is_here = !is_nowhere && !reference.starts_with("slow");
  image.is_in_registry = !is_nowhere;
  image.has_healthcheck = reference.starts_with("sick") || reference.starts_with("well");
  if (reference.starts_with("known")) image.digest = "sha256:abc";
  return image;
}

Program program_by_name(model::CreateContainer const& wanted) {
  auto const is = [&](char const* name) { return wanted.image.starts_with(name); };
  auto const ends = [](Program& program, Duration after, Exit exit) { program.runs_for = after, program.exit = exit; };
  Program program;
  if (is("broken")) program.start_error = Error{Code::Invalid, "exec: not found", std::string(model::engine_error::kBadConfig)};
  if (is("crash")) ends(program, 50ms, {.code = 3});
  if (is("done")) ends(program, 1s, {.code = 0});
  if (is("greedy")) ends(program, 1s, {.code = kKilled, .oom_killed = true});
  if (is("sick")) program.check.verdict = model::Health::Unhealthy;
  auto const& signal = wanted.spec->stop_signal;
  if (!is("stubborn")) program.on_signal[signal.empty() ? "SIGTERM" : signal] = {{.code = is("calm") ? 0 : kTerminated}, {}};
  return program;
}

}  // namespace

Catalogue images_by_name() { return {image_by_name, program_by_name}; }

}  // namespace davit::sim
