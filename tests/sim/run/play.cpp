#include "sim/run/play.hpp"

#include <algorithm>
#include <ctime>

#include <fmt/core.h>

#include "sim/run/shrink.hpp"

namespace davit::sim {
namespace {

struct Totals {
  std::uint64_t runs = 0;
  Duration simulated{};
  std::uint64_t checks = 0;
  std::uint64_t answers = 0;
  std::map<FaultKind, std::uint64_t> injected;

  void add(RunResult const& result) {
    ++runs;
    simulated += result.simulated;
    checks += result.checks;
    answers += result.answers;
    for (auto const& [kind, count] : result.injected) injected[kind] += count;
  }
  void print() const {
    auto const cpu = std::chrono::duration<double>(cpu_used()).count();
    auto const cluster_seconds = std::chrono::duration<double>(simulated).count();
    fmt::print("{} runs, {:.0f} cluster-seconds in {:.1f} CPU-seconds: {:.0f} per second\n", runs, cluster_seconds, cpu,
               cluster_seconds / cpu);
    fmt::print("{} answers to users, {} checks; faults:", answers, checks);
    for (auto const& [kind, count] : injected) fmt::print(" {} {}", count, model::to_string(kind));
    fmt::print("\n");
  }
};

void print_failure(Arguments const& arguments, RunOptions options, RunResult const& result) {
  fmt::print("seed {}: {}: {}\n", options.seed, result.finding->rule, result.finding->text);
  if (arguments.is_shrinking) {
    options.is_traced = false;
    options = shrink(options, result, [](std::size_t left) { fmt::print(stderr, "{} faults are left\n", left); });
  }
  fmt::print("again: {} --trace\n", command_line(arguments.program, options));
}

// False: an invariant is broken.
bool play_one(Arguments const& arguments, RunOptions const& options, Totals& totals) {
  auto const result = run(options);
  totals.add(result);
  fmt::print("seed {} hash {:016x}\n", options.seed, result.hash);
  if (result.finding) {
    print_failure(arguments, options, result);
    return false;
  }
  if (!arguments.is_twice) return true;
  auto const again = run(options);
  totals.add(again);
  if (again.hash != result.hash) fmt::print("seed {}: the same seed gave another trace: {:016x}\n", options.seed, again.hash);
  return again.hash == result.hash;
}

}  // namespace

Duration cpu_used() {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(static_cast<double>(std::clock()) / CLOCKS_PER_SEC));
}

bool play(Arguments const& arguments) {
  Totals totals;
  auto options = arguments.options;
  bool is_well = true;
  auto const goes_on = [&] {
    return arguments.cpu_limit ? cpu_used() < *arguments.cpu_limit : options.seed <= std::max(arguments.last_seed, arguments.options.seed);
  };
  for (; is_well && goes_on(); ++options.seed) is_well = play_one(arguments, options, totals);
  totals.print();
  return is_well;
}

}  // namespace davit::sim
