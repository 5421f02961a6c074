// davit-sim: plays seeds until one breaks an invariant.
#include <ctime>
#include <fstream>
#include <iterator>

#include <fmt/core.h>

#include "sim/run/arguments.hpp"
#include "sim/run/shrink.hpp"
#include "sim/scenario/scenario.hpp"

namespace {

using namespace davit;
using namespace davit::sim;

Duration cpu_used() {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(static_cast<double>(std::clock()) / CLOCKS_PER_SEC));
}

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

void print_failure(RunOptions options, RunResult const& result, bool is_shrinking) {
  fmt::print("seed {}: {}: {}\n", options.seed, result.finding->rule, result.finding->text);
  if (is_shrinking) {
    options.is_traced = false;
    options = shrink(options, result, [](std::size_t left) { fmt::print(stderr, "{} faults are left\n", left); });
  }
  fmt::print("again: {} --trace\n", command_line(options));
}

// False: an invariant is broken.
bool play(Arguments const& arguments, RunOptions const& options, Totals& totals) {
  auto const result = run(options);
  totals.add(result);
  fmt::print("seed {} hash {:016x}\n", options.seed, result.hash);
  if (result.finding) {
    print_failure(options, result, arguments.is_shrinking);
    return false;
  }
  if (!arguments.is_twice) return true;
  auto const again = run(options);
  totals.add(again);
  if (again.hash != result.hash) fmt::print("seed {}: the same seed gave another trace: {:016x}\n", options.seed, again.hash);
  return again.hash == result.hash;
}

// False: it did not go as the file says.
bool play_file(std::string const& path, bool is_rewriting) {
  std::ifstream file(path);
  std::string const text{std::istreambuf_iterator<char>(file), {}};
  if (!file) return fmt::print(stderr, "davit-sim: {} cannot be read\n", path), false;
  auto const script = parse_script(text);
  auto const outcome = play_scenario(script);
  if (outcome.failure) {
    fmt::print("{}{}: {}\n", outcome.trace, path, *outcome.failure);
    return false;
  }
  auto const difference = difference_between(script.expected, outcome.trace);
  if (difference.empty()) return true;
  if (!is_rewriting) return fmt::print("{}{}\n{}\n", outcome.trace, path, difference), false;
  std::ofstream(path) << to_text(script, outcome.trace);
  return true;
}

bool play_files(Arguments const& arguments) {
  bool is_well = true;
  for (auto const& path : arguments.scenarios) is_well &= play_file(path, arguments.is_rewriting);
  return is_well;
}

}  // namespace

int main(int count, char** values) {
  auto const arguments = parse_arguments(count, values);
  if (!arguments || arguments->wants_help) {
    if (!arguments) fmt::print(stderr, "davit-sim: {}\n", arguments.error().message);
    fmt::print("{}", kUsage);
    return arguments ? 0 : 2;
  }
  if (!arguments->scenarios.empty()) return play_files(*arguments) ? 0 : 1;
  Totals totals;
  auto options = arguments->options;
  bool is_well = true;
  auto const goes_on = [&] {
    return arguments->cpu_limit ? cpu_used() < *arguments->cpu_limit
                                : options.seed <= std::max(arguments->last_seed, arguments->options.seed);
  };
  for (; is_well && goes_on(); ++options.seed) is_well = play(*arguments, options, totals);
  totals.print();
  return is_well ? 0 : 1;
}
