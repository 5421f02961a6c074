#include "api/event_log.hpp"

#include <charconv>

#include <fmt/core.h>

#include "base/check.hpp"
#include "codec/json.hpp"

namespace davit::api {
namespace {

// What does not apply is left out: an event of a node has no service.
std::string data_of(master::Transition const& transition) {
  auto data = codec::Value::object({{"time", format_rfc3339(transition.time)}, {"type", transition.type}});
  if (!transition.service.empty()) data.set("service", transition.service);
  if (transition.slot != 0) data.set("slot", transition.slot);
  if (transition.instance) data.set("instance", to_string(transition.instance));
  if (transition.revision != 0) data.set("revision", transition.revision);
  if (!transition.node.empty()) data.set("node", transition.node);
  if (!transition.previous.empty()) data.set("previous", transition.previous);
  data.set("reason", model::to_string(transition.reason));
  data.set("message", transition.message);
  return codec::dump(data);
}

}  // namespace

EventLog::EventLog(std::string_view node, std::uint64_t boot, std::size_t capacity)
    : id_prefix_(fmt::format("{}.{:x}.", node, boot)),
      capacity_(capacity) {
  CHECK(capacity > 0);
}

void EventLog::append(master::Transition const& transition) {
  ++last_;
  events_.push_back({.type = transition.type,
                     .service = transition.service,
                     .node = transition.node,
                     .frame = fmt::format("id: {}\nevent: {}\ndata: {}\n\n", id_of(last_), transition.type, data_of(transition))});
  if (events_.size() > capacity_) events_.pop_front();
  for (auto const& on_append : listeners_) on_append();
}

std::string EventLog::id_of(Number number) const { return id_prefix_ + std::to_string(number); }

std::optional<EventLog::Number> EventLog::resume_after(std::string_view id) const {
  if (!id.starts_with(id_prefix_)) return std::nullopt;
  id.remove_prefix(id_prefix_.size());
  Number number = 0;
  auto const [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
  bool const is_number = error == std::errc{} && end == id.data() + id.size();
  if (!is_number || number > last_ || !has_all_after(number)) return std::nullopt;
  return number;
}

LoggedEvent const* EventLog::find(Number number) const {
  Number const dropped = last_ - events_.size();
  if (number <= dropped || number > last_) return nullptr;
  return &events_[number - dropped - 1];
}

EventLog::Subscription EventLog::subscribe(std::function<void()> on_append) {
  return {listeners_, listeners_.insert(listeners_.end(), std::move(on_append))};
}

}  // namespace davit::api
