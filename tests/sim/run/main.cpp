// davit-sim: plays seeds until one breaks an invariant, or scenarios from their files.
#include <fstream>
#include <iterator>

#include <fmt/core.h>

#include "sim/run/play.hpp"
#include "sim/scenario/scenario.hpp"

namespace {

using namespace davit::sim;

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
  using namespace davit::sim;
  auto const arguments = parse_arguments(count, values);
  if (!arguments) fmt::print(stderr, "davit-sim: {}\n", arguments.error().message);
  if (!arguments || arguments->wants_help) {
    fmt::print("{}", kUsage);
    return arguments ? 0 : 2;
  }
  if (!arguments->scenarios.empty()) return play_files(*arguments) ? 0 : 1;
  return play(*arguments) ? 0 : 1;
}
