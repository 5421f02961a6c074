#include "codec/record_values.hpp"

#include <charconv>

#include <fmt/core.h>

#include "codec/json.hpp"
#include "codec/record_fields.hpp"
#include "model/spec_fields.hpp"

namespace davit::codec {
namespace {

using namespace model::problem_code;
using model::EventBody;

// A string that `parse` turns into the value.
template <class T, class Parse>
void read_text(FieldReader& reader, Value const& value, T& into, Parse const& parse) {
  auto const* const text = reader.expect_string(value);
  if (!text) return;
  auto const parsed = parse(*text);
  if (parsed) into = *parsed;
  else reader.invalid(parsed.error());
}

// The event whose type has this name, if it is the Ith.
template <std::size_t I>
bool read_event_as(FieldReader& reader, Member const& event, EventBody& into) {
  if (model::event_type(EventBody(std::in_place_index<I>)) != event.key) return false;
  auto const scope = reader.at(event.key);
  read_fields(reader, event.value, into.emplace<I>());
  return true;
}

template <std::size_t... I>
bool read_any_event(FieldReader& reader, Member const& event, EventBody& into, std::index_sequence<I...>) {
  return (read_event_as<I>(reader, event, into) || ...);
}

}  // namespace

void read_value(FieldReader& reader, Value const& value, Meta const&, Wall& into) { read_text(reader, value, into, parse_rfc3339); }
void read_value(FieldReader& reader, Value const& value, Meta const&, ServiceUid& into) {
  read_text(reader, value, into, parse_service_uid);
}
void read_value(FieldReader& reader, Value const& value, Meta const&, Epoch& into) { read_text(reader, value, into, parse_epoch); }
void read_id60(FieldReader& reader, Value const& value, std::uint64_t& into) { read_text(reader, value, into, parse_id60); }

void read_value(FieldReader& reader, Value const& value, Meta const&, ShardId& into) {
  std::uint64_t shard = 0;
  read_unsigned(reader, value, kShards - 1, shard);
  into.value = static_cast<std::uint16_t>(shard);
}

void read_unsigned(FieldReader& reader, Value const& value, std::uint64_t max, std::uint64_t& into) {
  if (auto const number = value.as_int()) {
    if (*number >= 0 && static_cast<std::uint64_t>(*number) <= max) into = static_cast<std::uint64_t>(*number);
    else reader.report(kOutOfRange, fmt::format("must be from 0 to {}", max));
    return;
  }
  auto const digits = value.text();
  auto const [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), into);
  bool const is_large = !digits.empty() && failed == std::errc{} && end == digits.data() + digits.size() && into > INT64_MAX && into <= max;
  if (!is_large) reader.wrong_type("an integer that is not negative", value);
}

void read_value(FieldReader& reader, Value const& value, Meta const&, model::SpecRef& into) {
  auto spec = std::make_shared<model::ServiceSpec>();
  read_fields(reader, value, *spec);
  into = std::move(spec);
}

void read_value(FieldReader& reader, Value const& value, Meta const&, EventBody& into) {
  auto const* const object = reader.expect_object(value);
  if (!object) return;
  if (object->size() != 1) return reader.report(kInvalidValue, "must have one member, named as the event's type");
  auto const& event = *object->begin();
  if (read_any_event(reader, event, into, std::make_index_sequence<std::variant_size_v<EventBody>>())) return;
  auto const scope = reader.at(event.key);
  reader.report(kUnknownField, "no such type of event");
}

void read_value(FieldReader& reader, Value const& value, Meta const&, std::map<std::uint32_t, model::RevisionRecord>& into) {
  auto const* const numbers = reader.expect_array(value);
  if (!numbers) return;
  for (auto const& each : *numbers) {
    std::uint64_t revision = 0;
    read_unsigned(reader, each, UINT32_MAX, revision);
    into.try_emplace(static_cast<std::uint32_t>(revision));
  }
}

Value write_unsigned(std::uint64_t value) {
  if (std::in_range<std::int64_t>(value)) return Value(static_cast<std::int64_t>(value));
  return Value(std::to_string(value));
}
Value write_value(Wall time, Defaults) { return Value(format_rfc3339(time)); }
Value write_value(ServiceUid uid, Defaults) { return Value(to_string(uid)); }
Value write_value(Epoch epoch, Defaults) { return Value(to_string(epoch)); }
Value write_value(ShardId shard, Defaults) { return Value(shard.value); }

// The spec's defaults belong to the store's format: changing one is a new format, which upgrades what is stored.
Value write_value(model::SpecRef const& spec, Defaults) { return write_fields(*spec, Defaults::Omit); }

Value write_value(EventBody const& body, Defaults defaults) {
  auto content = std::visit([&](auto const& each) { return write_fields(each, defaults); }, body);
  return Value::object({{model::event_type(body), std::move(content)}});
}

Value write_value(std::map<std::uint32_t, model::RevisionRecord> const& revisions, Defaults) {
  Value::Array numbers;
  for (auto const& [revision, content] : revisions) numbers.emplace_back(revision);
  return Value(std::move(numbers));
}

}  // namespace davit::codec
