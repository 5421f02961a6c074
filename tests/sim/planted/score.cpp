#include "sim/planted/score.hpp"

#include <cstdio>

#include <fmt/core.h>

#include "sim/planted/bugs.hpp"
#include "sim/run/play.hpp"

namespace davit::sim {
namespace {

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

bool is_found(Planted const& planted, ScoreOptions const& options) {
  planted_bug = planted.bug;
  auto run_options = options.run;
  auto const begin = cpu_used();
  std::optional<Finding> finding;
  for (; !finding && cpu_used() - begin < options.cpu_limit; ++run_options.seed) finding = run(run_options).finding;
  auto const used = seconds(cpu_used() - begin);
  if (finding) fmt::print("{:26} {:8.1f} {:6}  {}\n", planted.name, used, run_options.seed - 1, finding->rule);
  else fmt::print("{:26} {:8.1f}      -  not found: {}\n", planted.name, used, planted.what);
  std::fflush(stdout);
  return finding.has_value();
}

}  // namespace

bool score(ScoreOptions const& options) {
  fmt::print("{:26} {:>8} {:>6}  found by\n", "fault", "CPU s", "seed");
  std::size_t found = 0;
  for (auto const& planted : all_planted()) found += is_found(planted, options) ? 1 : 0;
  auto const all = all_planted().size();
  fmt::print("{} of {} found ({:.1f} %) in {:.0f} CPU-seconds\n", found, all, 100.0 * static_cast<double>(found) / static_cast<double>(all),
             seconds(cpu_used()));
  return found * 100 >= all * options.at_least;
}

}  // namespace davit::sim
