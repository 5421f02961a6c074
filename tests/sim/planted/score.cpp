#include "sim/planted/score.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <cstdio>

#include <fmt/core.h>

#include "sim/planted/bugs.hpp"
#include "sim/run/play.hpp"

namespace davit::sim {
namespace {

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

// What also happens without the fault is no finding of it.
bool is_clean_without(RunOptions const& options, Bug bug) {
  planted_bug.reset();
  bool const is_clean = !run(options).finding;
  planted_bug = bug;
  return is_clean;
}

bool find(Planted const& planted, ScoreOptions const& options) {
  planted_bug = planted.bug;
  auto run_options = options.run;
  auto const goes_on = [&] { return options.last_seed ? run_options.seed <= *options.last_seed : cpu_used() < options.cpu_limit; };
  for (; goes_on(); ++run_options.seed) {
    auto const finding = run(run_options).finding;
    auto const used = seconds(cpu_used());
    if (!finding || !is_clean_without(run_options, planted.bug)) continue;
    fmt::print("{:26} {:8.1f} {:6}  {}\n", planted.name, used, run_options.seed, finding->rule);
    return true;
  }
  fmt::print("{:26} {:8.1f}      -  not found: {}\n", planted.name, seconds(cpu_used()), planted.what);
  return false;
}

// In a process of its own: a fault may break a CHECK, which ends it.
bool is_found(Planted const& planted, ScoreOptions const& options) {
  std::fflush(stdout);
  auto const child = fork();
  if (child == 0) {
    bool const was_found = find(planted, options);
    std::fflush(stdout);
    _exit(was_found ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) fmt::print("{:26} {:>8} {:>6}  its process ended by signal {}\n", planted.name, "", "", WTERMSIG(status));
  return (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) || (WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

double cpu_seconds_of_children() {
  rusage used{};
  getrusage(RUSAGE_CHILDREN, &used);
  return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec);
}

}  // namespace

bool score(ScoreOptions const& options) {
  fmt::print("{:26} {:>8} {:>6}  found by\n", "fault", "CPU s", "seed");
  std::size_t found = 0;
  for (auto const& planted : all_planted()) found += is_found(planted, options) ? 1 : 0;
  auto const all = all_planted().size();
  fmt::print("{} of {} found ({:.1f} %) in {:.0f} CPU-seconds\n", found, all, 100.0 * static_cast<double>(found) / static_cast<double>(all),
             cpu_seconds_of_children());
  return found * 100 >= all * options.at_least;
}

}  // namespace davit::sim
