#include "api/render_history.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "codec/spec.hpp"

namespace davit::api {
namespace {

using codec::Value;
using model::JournalEvent;

struct After {
  std::uint64_t generation = 0;
  std::optional<std::uint32_t> revision;
};

bool makes_generation(model::EventBody const& body) {
  return !std::holds_alternative<model::RolloutCompleted>(body) && !std::holds_alternative<model::RolloutStopped>(body) &&
         !std::holds_alternative<model::ImageResolved>(body);
}

bool makes_revision(model::EventBody const& body) {
  auto const* changed = std::get_if<model::SpecChanged>(&body);
  return std::holds_alternative<model::ServiceCreated>(body) || std::holds_alternative<model::ServiceRestarted>(body) ||
         (changed && changed->replaces);
}

// What each event led to, counted back from the head.
std::vector<After> states_after(model::Head const& head, std::span<JournalEvent const> events) {
  std::vector<After> states(events.size());
  auto generation = head.generation;
  auto newest = head.last_revision;
  for (std::size_t i = events.size(); i-- > 0;) {
    auto const& body = events[i].body;
    states[i].generation = generation;
    if (makes_generation(body)) --generation;
    if (makes_revision(body)) states[i].revision = newest--;
    if (auto const* back = std::get_if<model::RolledBack>(&body)) states[i].revision = back->to_revision;
  }
  bool const none = std::ranges::none_of(states, [](After const& state) { return state.revision.has_value(); });
  if (none && !states.empty()) states.front().revision = head.revision;
  for (std::size_t i = 1; i < states.size(); ++i) {
    if (!states[i].revision) states[i].revision = states[i - 1].revision;
  }
  return states;
}

model::SpecRef spec_in(model::EventBody const& body) {
  if (auto const* created = std::get_if<model::ServiceCreated>(&body)) return created->spec;
  if (auto const* changed = std::get_if<model::SpecChanged>(&body)) return changed->spec;
  if (auto const* back = std::get_if<model::RolledBack>(&body)) return back->spec;
  return nullptr;
}

std::string describe_change(model::ServiceSpec const& before, model::ServiceSpec const& after) {
  constexpr std::size_t kShown = 5;
  std::string text;
  std::size_t count = 0;
  for (auto const& each : codec::diff(before, after)) {
    std::string_view pointer = each.pointer;
    pointer.remove_prefix(std::min(pointer.find_first_not_of("#/"), pointer.size()));
    if (++count > kShown) continue;
    if (!text.empty()) text += ", ";
    bool const is_short = each.before.size() + each.after.size() <= 80 && !each.before.empty() && !each.after.empty();
    text += is_short ? fmt::format("{} {} → {}", pointer, each.before, each.after) : std::string(pointer);
  }
  if (count > kShown) text += fmt::format(" and {} more", count - kShown);
  return text;
}

std::string message_of(JournalEvent const& event, model::SpecRef const& before) {
  if (auto const* stopped = std::get_if<model::RolloutStopped>(&event.body)) return stopped->message;
  if (auto const* completed = std::get_if<model::RolloutCompleted>(&event.body)) return completed->message;
  if (auto const* resolved = std::get_if<model::ImageResolved>(&event.body))
    return fmt::format("revision {} runs {}", resolved->revision, resolved->digest);
  if (auto const* back = std::get_if<model::RolledBack>(&event.body))
    return fmt::format("to revision {}{}{}", back->to_revision, back->message.empty() ? "" : ": ", back->message);
  auto const spec = spec_in(event.body);
  if (spec && before) return describe_change(*before, *spec);
  return spec ? fmt::format("{} x {}", spec->instances, spec->image) : "";
}

// Of a failure that decided something.
std::optional<model::Reason> reason_of(model::EventBody const& body) {
  if (auto const* stopped = std::get_if<model::RolloutStopped>(&body)) return stopped->reason;
  if (auto const* back = std::get_if<model::RolledBack>(&body); back && back->is_automatic) return back->reason;
  if (auto const* completed = std::get_if<model::RolloutCompleted>(&body); completed && completed->is_partial) return completed->reason;
  return std::nullopt;
}

Value render(JournalEvent const& event, After const& after, model::SpecRef const& before) {
  auto item = Value::object({{"number", event.number},
                             {"time", format_rfc3339(event.time)},
                             {"type", model::event_type(event.body)},
                             {"generation", after.generation},
                             {"revision", after.revision},
                             {"author", event.author},
                             {"request_id", event.request_id},
                             {"message", message_of(event, before)}});
  if (auto const reason = reason_of(event.body)) item.set("reason", model::to_string(*reason));
  return item;
}

}  // namespace

Value render_history(model::Head const& head, std::span<JournalEvent const> events) {
  auto const states = states_after(head, events);
  Value::Array items;
  model::SpecRef spec;
  for (std::size_t i = 0; i < events.size(); ++i) {
    items.push_back(render(events[i], states[i], spec));
    if (auto next = spec_in(events[i].body)) spec = std::move(next);
  }
  return items;
}

}  // namespace davit::api
