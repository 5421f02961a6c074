#include "sim/run/arguments.hpp"

#include <charconv>
#include <vector>

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace davit::sim {
namespace {

Result<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  auto const [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size()) return fail(Code::Invalid, fmt::format("'{}' is no number", text));
  return number;
}

Result<std::set<std::size_t>> parse_list(std::string_view text) {
  std::set<std::size_t> numbers;
  while (!text.empty() && text != "none") {
    auto const comma = std::min(text.find(','), text.size());
    TRY(auto const number, parse_number(text.substr(0, comma)));
    numbers.insert(number);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return numbers;
}

Status parse_seeds(Arguments& arguments, std::string_view text) {
  auto const dash = text.find('-');
  TRY(arguments.options.seed, parse_number(text.substr(0, dash)));
  TRY(arguments.last_seed, parse_number(dash == std::string_view::npos ? text : text.substr(dash + 1)));
  return {};
}

Status parse_value(Arguments& arguments, std::string_view name, std::string_view value) {
  auto& options = arguments.options;
  if (name == "--seed" || name == "--seeds") return parse_seeds(arguments, value);
  if (name == "--scenario") {
    arguments.scenarios.emplace_back(value);
    return {};
  }
  if (name == "--faults") {
    TRY(options.only_faults, parse_list(value));
    return {};
  }
  TRY(auto const number, parse_number(value));
  if (name == "--seconds") options.safety_phase = std::chrono::seconds(number);
  else if (name == "--masters") options.size.masters = number;
  else if (name == "--agents") options.size.agents = number;
  else if (name == "--services") options.services = number;
  else if (name == "--gap") options.mean_gap = std::chrono::seconds(number);
  else if (name == "--cpu-minutes") arguments.cpu_limit = std::chrono::minutes(number);
  else if (name == "--cpu-seconds") arguments.cpu_limit = std::chrono::seconds(number);
  else return fail(Code::Invalid, fmt::format("unknown option {}", name));
  return {};
}

}  // namespace

Result<Arguments> parse_arguments(int count, char const* const* values) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    std::string_view const name = values[i];
    if (name == "--trace") arguments.options.is_traced = true;
    else if (name == "--twice") arguments.is_twice = true;
    else if (name == "--shrink") arguments.is_shrinking = true;
    else if (name == "--rewrite") arguments.is_rewriting = true;
    else if (name == "--help") arguments.wants_help = true;
    else if (i + 1 == count) return fail(Code::Invalid, fmt::format("{} wants a value", name));
    else TRY_VOID(parse_value(arguments, name, values[++i]));
  }
  return arguments;
}

std::string command_line(std::string_view program, RunOptions const& options) {
  RunOptions const usual;
  std::string text = fmt::format("{} --seed {}", program, options.seed);
  auto const add = [&](std::string_view name, auto value, auto usual_value) {
    if (value != usual_value) text += fmt::format(" {} {}", name, value);
  };
  add("--seconds", options.safety_phase / 1s, usual.safety_phase / 1s);
  add("--masters", options.size.masters, usual.size.masters);
  add("--agents", options.size.agents, usual.size.agents);
  add("--services", options.services, usual.services);
  add("--gap", options.mean_gap / 1s, usual.mean_gap / 1s);
  if (options.only_faults)
    text += options.only_faults->empty() ? " --faults none" : fmt::format(" --faults {}", fmt::join(*options.only_faults, ","));
  return text;
}

}  // namespace davit::sim
