#include "conformance/engine/suite_programs.hpp"

#include <functional>
#include <map>

#include "base/check.hpp"

namespace davit::conformance {
namespace {

using ports::LogStream;
using sim::Exit;
using sim::Program;
using Environment = std::map<std::string, std::string>;
using Make = std::function<Program(Environment const&)>;

constexpr Duration kSoon = 20ms;  // what a short command takes

std::optional<sim::Image> image(std::string const& reference) {
  if (reference == kSuiteImage) return sim::Image{};
  if (reference == kSuiteCheckedImage) return sim::Image{.has_healthcheck = true};
  return std::nullopt;
}

Program runs_for(Duration time) {
  Program program;
  program.runs_for = time;
  return program;
}
Program exits_with(std::int64_t code) {
  auto program = runs_for(kSoon);
  program.exit.code = code;
  return program;
}
Program prints(std::vector<Program::Output> outputs) {
  auto program = runs_for(kSoon);
  program.prints = std::move(outputs);
  return program;
}
Program ready_for(std::string const& signal, Program::Reaction reaction) {
  Program program;
  program.on_signal[signal] = std::move(reaction);
  program.prints = {{"ready"}};
  return program;
}

Program not_found(std::string const& name) {
  Program program;
  program.start_error =
      Error{Code::Invalid, "exec: \"" + name + "\": executable file not found in $PATH", std::string(model::engine_error::kBadConfig)};
  return program;
}
Program busy() {
  Program program;
  program.cpus = 1;
  return program;
}
Program babbling() {
  Program program;
  program.prints = {{"again"}};
  program.prints_every = 1ms;
  return program;
}
Program counting(int last) {
  std::vector<Program::Output> numbers;
  for (int i = 1; i <= last; ++i) numbers.push_back({std::to_string(i)});
  return prints(std::move(numbers));
}
Program comparing(Environment const& environment) {
  auto const is = [&](char const* name, char const* value) {
    auto const found = environment.find(name);
    return found != environment.end() && found->second == value;
  };
  return exits_with(is("MINE", "1") && is("BOTH", "davit") ? 42 : 1);
}

std::map<std::string, Make> const& commands() {
  static std::map<std::string, Make> const all{
      {"true", [](auto&) { return exits_with(0); }},
      {"sleep 600", [](auto&) { return runs_for(600s); }},
      {"no-such-program", [](auto&) { return not_found("no-such-program"); }},
      {"exit 3", [](auto&) { return exits_with(3); }},
      {"touch /ok; sleep 600", [](auto&) { return runs_for(600s); }},
      {"while :; do :; done", [](auto&) { return busy(); }},
      {"trap 'exit 7' USR1; echo ready; while :; do sleep 0.1; done", [](auto&) { return ready_for("SIGUSR1", {Exit{.code = 7}, {}}); }},
      {"test \"$MINE\" = 1 && test \"$BOTH\" = davit && exit 42", comparing},
      {"echo out; echo err >&2; printf 'no newline'", [](auto&) { return prints({{"out"}, {"err", LogStream::Stderr}, {"no newline"}}); }},
      {"head -c 40000 /dev/zero | tr '\\0' x; echo end; echo next",
       [](auto&) { return prints({{std::string(40000, 'x') + "end"}, {"next"}}); }},
      {"echo one; echo two >&2", [](auto&) { return prints({{"one"}, {"two", LogStream::Stderr}}); }},
      {"trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.1; done",
       [](auto&) { return ready_for("SIGTERM", {Exit{.code = 0}, {{"bye"}}}); }},
      {"seq 1 2000", [](auto&) { return counting(2000); }},
      {"while :; do echo again; done", [](auto&) { return babbling(); }},
  };
  return all;
}

// The script of `sh -c`, or the words themselves.
std::string text_of(std::vector<std::string> const& words) {
  if (words.size() == 3 && words[0] == "sh" && words[1] == "-c") return words[2];
  std::string text;
  for (auto const& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

Program program(model::CreateContainer const& wanted) {
  auto const text = text_of(wanted.spec->command.items);
  auto const found = commands().find(text);
  CHECK(found != commands().end(), "the fake engine does not know the command: {}", text);
  auto out = found->second(wanted.environment);
  auto const& check = wanted.spec->healthcheck;
  bool const fails = check && !check->test.items.empty() && check->test.items.back() == "test -e /ok && echo no luck && exit 1";
  if (fails) out.check = {.verdict = model::Health::Unhealthy, .output = "no luck", .after = check->interval};
  return out;
}

}  // namespace

sim::Catalogue suite_catalogue() { return {image, program}; }

}  // namespace davit::conformance
