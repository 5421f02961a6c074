// davit-sim-planted: davit-sim with deliberate faults.
#include <charconv>

#include <fmt/core.h>

#include "sim/planted/bugs.hpp"
#include "sim/planted/score.hpp"
#include "sim/run/play.hpp"

namespace {

using namespace davit;
using namespace davit::sim;

constexpr std::string_view kPlantedUsage =
    "usage: davit-sim-planted --plant FAULT [options of davit-sim]\n"
    "       davit-sim-planted --score [--cpu-seconds S] [--at-least PERCENT] [options of davit-sim]\n"
    "\n"
    "Plays Davit with one deliberate fault in it; or each fault in turn for at most a minute, and says which the rules find.\n"
    "Ends with 1 when fewer than 95 % are found. The faults:\n";

struct Wanted {
  bool is_score = false;
  bool wants_help = false;
  Planted const* planted = nullptr;
  unsigned at_least = ScoreOptions{}.at_least;
  Arguments arguments;
};

Result<Wanted> parse(int count, char const* const* values) {
  Wanted wanted;
  std::vector<char const*> rest{values[0]};
  for (int i = 1; i < count; ++i) {
    std::string_view const name = values[i];
    bool const has_value = i + 1 < count;
    if (name == "--score") {
      wanted.is_score = true;
    } else if (name == "--plant" && has_value) {
      wanted.planted = find_planted(values[++i]);
      if (!wanted.planted) return fail(Code::Invalid, fmt::format("there is no fault '{}'", values[i]));
    } else if (name == "--at-least" && has_value) {
      std::string_view const percent = values[++i];
      std::from_chars(percent.data(), percent.data() + percent.size(), wanted.at_least);
    } else {
      rest.push_back(values[i]);
    }
  }
  TRY(wanted.arguments, parse_arguments(static_cast<int>(rest.size()), rest.data()));
  wanted.wants_help = wanted.arguments.wants_help || wanted.is_score == (wanted.planted != nullptr);
  if (wanted.planted) wanted.arguments.program = fmt::format("davit-sim-planted --plant {}", wanted.planted->name);
  return wanted;
}

int print_usage() {
  fmt::print("{}", kPlantedUsage);
  for (auto const& each : all_planted()) fmt::print("  {:26} {}\n", each.name, each.what);
  return 2;
}

}  // namespace

int main(int count, char** values) {
  auto const wanted = parse(count, values);
  if (!wanted) fmt::print(stderr, "davit-sim-planted: {}\n", wanted.error().message);
  if (!wanted || wanted->wants_help) return print_usage();
  if (wanted->is_score) {
    ScoreOptions options{.run = wanted->arguments.options, .at_least = wanted->at_least};
    if (wanted->arguments.cpu_limit) options.cpu_limit = *wanted->arguments.cpu_limit;
    else if (wanted->arguments.last_seed > wanted->arguments.options.seed) options.last_seed = wanted->arguments.last_seed;
    return score(options) ? 0 : 1;
  }
  planted_bug = wanted->planted->bug;
  return play(wanted->arguments) ? 0 : 1;
}
