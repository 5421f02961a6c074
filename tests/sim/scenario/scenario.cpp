#include "sim/scenario/scenario.hpp"

#include <memory>

#include <fmt/core.h>

#include "sim/scenario/commands.hpp"

namespace davit::sim {
namespace {

constexpr Duration kSettle = 5s;  // until masters and agents of a new cluster know each other

Result<std::unique_ptr<Stage>> build(Words const& words) {
  Cluster::Size size{.masters = 3, .agents = 3, .stores = 3};
  std::uint64_t seed = 1;
  for (std::size_t i = 1; i < words.size(); ++i) {
    auto const equals = words[i].find('=');
    if (equals == std::string::npos) return fail(Code::Invalid, fmt::format("'{}' is no NAME=NUMBER", words[i]));
    TRY(auto const number, parse_count(words[i].substr(equals + 1)));
    auto const name = words[i].substr(0, equals);
    auto const count = static_cast<std::size_t>(number);
    if (name == "masters") size.masters = count;
    else if (name == "agents") size.agents = count;
    else if (name == "stores") size.stores = count;
    else if (name == "seed") seed = count;
    else return fail(Code::Invalid, fmt::format("a cluster has no '{}'", name));
  }
  auto stage = std::make_unique<Stage>(size, seed);
  TRY_VOID(stage->advance(kSettle));
  stage->story().begin();
  return stage;
}

// let O = owner web | home web.1 | holder web.1 | bystander web | coordinator
Status let(Stage& stage, Words const& words) {
  if (words.size() < 4 || words[2] != "=") return wrong(words, "let NAME = owner|bystander SERVICE, home|holder SERVICE.SLOT, coordinator");
  if (words[3] == "coordinator") {
    TRY(auto const value, stage.coordinator());
    stage.let(words[1], value);
    return {};
  }
  if (words.size() != 5) return wrong(words, "let NAME = WHAT OF");
  if (words[3] == "home") {
    for (auto const& run : stage.watch().runs()) {
      if (!run.to && slot_name(run) == words[4]) return stage.let(words[1], run.node), Status{};
    }
    return fail(Code::NotFound, fmt::format("no container runs for {}", words[4]));
  }
  if (words[3] == "holder") {
    TRY(auto const holder, stage.holder_of(words[4]));
    return stage.let(words[1], holder), Status{};
  }
  TRY(auto const owner, stage.owner_of(words[4]));
  if (words[3] == "owner") return stage.let(words[1], owner), Status{};
  TRY(auto const coordinator, stage.coordinator());
  for (auto const& master : stage.cluster().masters()) {
    auto const& name = master->machine().name();
    if (words[3] == "bystander" && name != owner && name != coordinator) return stage.let(words[1], name), Status{};
  }
  return fail(Code::NotFound, "there is no such master");
}

Status run(Stage& stage, Words const& words) {
  if (words.size() != 2) return wrong(words, "run TIME");
  TRY(auto const time, parse_duration(words[1]));
  return stage.advance(time);
}

Status perform(Stage& stage, Words const& words) {
  if (words[0] == "run") return run(stage, words);
  if (words[0] == "let") return let(stage, words);
  if (words[0] == "expect") return expect(stage, words);
  if (words[0] == "mark") return stage.watch().mark(), Status{};
  for (auto const verbs : {user_verbs(), fault_verbs()}) {
    for (auto const& verb : verbs) {
      if (verb.name == words[0]) return verb.perform(stage, words);
    }
  }
  return fail(Code::Invalid, fmt::format("there is no command '{}'", words[0]));
}

// A reader of the trace wants to know who it was.
std::string with_names(Stage const& stage, ScriptLine const& line) {
  std::string text;
  for (auto const& word : line.words) {
    auto const name = stage.resolve(word);
    text += fmt::format("{}{}", text.empty() ? "" : " ", name == word ? word : fmt::format("{}({})", word, name));
  }
  return text;
}

// What was waited for is told when it has come true, all else when it is begun; what takes no time is not told.
Status play_line(Stage& stage, ScriptLine const& line) {
  auto const& verb = line.words[0];
  bool const is_waiting = verb == "expect" && line.words.size() > 2 && line.words[line.words.size() - 2] == "within";
  bool const is_silent = verb == "run" || verb == "mark" || verb == "let" || verb == "expect";
  if (!is_silent) stage.story().on_command(with_names(stage, line));
  TRY_VOID(perform(stage, line.words));
  if (is_waiting) stage.story().on_command(with_names(stage, line));
  return {};
}

}  // namespace

Status wrong(Words const& words, std::string_view usage) {
  return fail(Code::Invalid, fmt::format("'{}' is written as: {}", words[0], usage));
}

ScenarioOutcome play_scenario(Script const& script) {
  std::unique_ptr<Stage> stage;
  for (auto const& line : script.lines) {
    Status done;
    if (line.words[0] == "cluster" && !stage) {
      auto built = build(line.words);
      if (built) stage = std::move(*built);
      else done = std::unexpected(built.error());
    } else if (!stage) done = fail(Code::Invalid, "the first command is `cluster`");
    else done = play_line(*stage, line);
    if (done) continue;
    auto failure = fmt::format("line {}: {}: {}", line.number, line.text, done.error().message);
    if (stage) stage->story().on_failed(failure);
    return {stage ? stage->story().text() : "", std::move(failure)};
  }
  if (!stage) return {"", "there is no command"};
  return {stage->story().text(), {}};
}

std::string difference_between(std::string_view expected, std::string_view trace) {
  auto const take = [](std::string_view& text) {
    auto const line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    return line;
  };
  while (!expected.empty() || !trace.empty()) {
    auto const wanted = take(expected);
    auto const is = take(trace);
    if (wanted != is) return fmt::format("expected: {}\n     but: {}", wanted, is);
  }
  return {};
}

}  // namespace davit::sim
