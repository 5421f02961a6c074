#include "cli/apply_plan.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "cli/problem_text.hpp"

namespace davit::cli {
namespace {

using codec::Value;

std::string_view word_of(Step const& step) {
  switch (step.action) {
    case Step::Action::Create: return "created";
    case Step::Action::Change: return step.replaces ? "changed, its containers are replaced" : "changed, its containers stay";
    case Step::Action::Keep: return "unchanged";
    case Step::Action::Remove: return "removed";
  }
  return "";
}

std::string line_of(codec::Difference const& difference) {
  if (difference.before.empty()) return fmt::format("  + {}: {}", difference.pointer, difference.after);
  if (difference.after.empty()) return fmt::format("  - {}: {}", difference.pointer, difference.before);
  return fmt::format("  ~ {}: {} → {}", difference.pointer, difference.before, difference.after);
}

}  // namespace

Step plan_step(std::string service, Value const& before, Value const& after) {
  Step step{.service = std::move(service)};
  step.differences = codec::diff(codec::read_spec(before.is_null() ? Value::object() : before).spec, codec::read_spec(after).spec);
  if (before.is_null()) {
    step.action = Step::Action::Create;
    for (auto& difference : step.differences) difference.before.clear();  // a default is not something that was there
    return step;
  }
  using model::Change;
  step.replaces = std::ranges::any_of(step.differences, [](auto const& each) { return each.change == Change::Replace; });
  // A server that is newer may know fields that this program does not.
  if (!(before == after)) step.action = Step::Action::Change;
  return step;
}

std::string step_text(Step const& step) {
  auto text = fmt::format("{}: {}\n", step.service, word_of(step));
  for (auto const& difference : step.differences) text += escape_text(line_of(difference)) + '\n';
  return text;
}

Value step_json(Step const& step) {
  Value changes{Value::Array{}};
  for (auto const& each : step.differences) {
    changes.push(Value::object({{"pointer", each.pointer}, {"before", each.before}, {"after", each.after}}));
  }
  return Value::object(
      {{"service", step.service}, {"result", word_of(step)}, {"replaces", step.replaces}, {"changes", std::move(changes)}});
}

std::vector<std::string> names_to_prune(Value const& labelled, std::vector<std::string> const& kept) {
  std::vector<std::string> names;
  for (auto const& service : labelled.items()) {
    std::string name(service.at("name").text());
    if (std::ranges::find(kept, name) == kept.end()) names.push_back(std::move(name));
  }
  return names;
}

}  // namespace davit::cli
