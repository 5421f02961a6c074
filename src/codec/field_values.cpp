#include <algorithm>
#include <cmath>

#include <fmt/core.h>

#include "codec/fields.hpp"
#include "codec/json.hpp"
#include "codec/short_forms.hpp"
#include "model/spec_fields.hpp"

namespace davit::codec {
namespace {

using namespace model::problem_code;

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

// For types whose text form has a parser of its own.
template <class T>
void assign(FieldReader& reader, Result<T> parsed, T& into) {
  if (parsed) into = *std::move(parsed);
  else reader.invalid(parsed.error());
}

void read_pair(FieldReader& reader, std::string const& pair, model::KeyValues& into) {
  auto const equals = pair.find('=');
  if (equals == std::string::npos) {
    reader.report(
        kInvalidValue,
        fmt::format("'{0}' has no value; write \"{0}=value\", or \"{0}=\" for an empty one: nothing is taken from the shell", pair));
    return;
  }
  bool const is_new = into.items.emplace(pair.substr(0, equals), pair.substr(equals + 1)).second;
  if (!is_new) reader.report(kDuplicate, fmt::format("'{}' comes twice", pair.substr(0, equals)));
}

void read_entry(FieldReader& reader, Member const& member, model::KeyValues& into) {
  auto const scope = reader.at(member.key);
  if (auto const* const text = member.value.as_string()) {
    into.items[member.key] = *text;
  } else if (member.value.as_number()) {
    into.items[member.key] = dump(member.value);
  } else if (auto const flag = member.value.as_bool()) {
    reader.report(kWrongType, fmt::format("expected a string, got {0}; write \"{0}\" in quotes", *flag));
  } else if (member.value.is_null()) {
    reader.report(kWrongType, "expected a string, got null; write \"\" for an empty value, or leave the key out");
  } else {
    reader.wrong_type("a string", member.value);
  }
}

}  // namespace

void read_value(FieldReader& reader, Value const& value, Meta const&, bool& into) {
  if (auto const flag = value.as_bool()) into = *flag;
  else reader.wrong_type("true or false", value);
}

void read_value(FieldReader& reader, Value const& value, Meta const& meta, std::int64_t& into) {
  auto const number = value.as_int();
  if (!number) return reader.wrong_type("an integer", value);
  into = *number;
  reader.check_range(static_cast<double>(into), meta.min, meta.max);
}

void read_value(FieldReader& reader, Value const& value, Meta const& meta, double& into) {
  auto const number = value.as_number();
  if (!number) return reader.wrong_type("a number", value);
  into = *number;
  reader.check_range(into, meta.min, meta.max);
}

void read_value(FieldReader& reader, Value const& value, Meta const&, std::string& into) {
  if (auto const* const text = reader.expect_string(value)) into = *text;
}

void read_value(FieldReader& reader, Value const& value, Meta const&, Bytes& into) {
  if (auto const count = value.as_int()) into = Bytes{*count};
  else if (auto const* const text = value.as_string()) assign(reader, parse_bytes(*text), into);
  else return reader.wrong_type("bytes, as in 1048576 or \"512m\"", value);
  if (into.count < 0) reader.report(kOutOfRange, "must be at least 0");
}

void read_value(FieldReader& reader, Value const& value, Meta const& meta, Duration& into) {
  auto const* const text = value.as_string();
  if (!text) return reader.wrong_type("a duration with its unit, as in \"30s\" or \"1m30s\"", value);
  auto const parsed = parse_duration(*text);
  if (!parsed) return reader.invalid(parsed.error());
  into = *parsed;
  reader.check_range(seconds(into), meta.min, meta.max, "s");
}

// One string stands for an array of one.
void read_value(FieldReader& reader, Value const& value, Meta const& meta, std::vector<std::string>& into) {
  if (auto const* const text = value.as_string()) {
    into = {*text};
    return;
  }
  auto const* const items = value.as_array();
  if (!items) return reader.wrong_type("an array of strings", value);
  into.resize(items->size());
  for (std::size_t i = 0; i < items->size(); ++i) {
    auto const scope = reader.at(i);
    read_value(reader, (*items)[i], meta, into[i]);
  }
}

void read_value(FieldReader& reader, Value const& value, Meta const& meta, model::Words& into) {
  if (auto const* const text = value.as_string()) assign(reader, split_words(*text), into.items);
  else if (value.as_array()) read_value(reader, value, meta, into.items);
  else reader.wrong_type("a string or an array of strings", value);
}

void read_value(FieldReader& reader, Value const& value, Meta const&, model::KeyValues& into) {
  if (auto const* const object = value.as_object()) {
    for (auto const& member : *object) read_entry(reader, member, into);
    return;
  }
  auto const* const items = value.as_array();
  if (!items) return reader.wrong_type("an object, or an array of \"KEY=value\"", value);
  for (std::size_t i = 0; i < items->size(); ++i) {
    auto const scope = reader.at(i);
    if (auto const* const pair = reader.expect_string((*items)[i])) read_pair(reader, *pair, into);
  }
}

void read_value(FieldReader& reader, Value const& value, Meta const& meta, model::HealthTest& into) {
  if (auto const* const text = value.as_string()) into.items = {"CMD-SHELL", *text};
  else if (value.as_array()) read_value(reader, value, meta, into.items);
  else reader.wrong_type("a command as a string, or an array that starts with CMD, CMD-SHELL or NONE", value);
}

void read_value(FieldReader& reader, Value const& value, Meta const&, model::PortSpec& into) {
  if (value.as_object()) return read_fields(reader, value, into);
  if (auto const* const text = value.as_string()) return assign(reader, parse_port(*text), into);
  auto const number = value.as_int();
  if (!number) return reader.wrong_type("a port, as in 80, \"8080:80/tcp\" or {\"target\":80}", value);
  into.target = *number;
  reader.check_range(static_cast<double>(into.target), 1, model::kMaxPort);
}

void read_value(FieldReader& reader, Value const& value, Meta const&, model::Mount& into) {
  if (value.as_object()) return read_fields(reader, value, into);
  if (auto const* const text = value.as_string()) return assign(reader, parse_mount(*text), into);
  reader.wrong_type("a mount, as in \"data:/var/lib/data\" or {\"source\":\"data\",\"target\":\"/var/lib/data\"}", value);
}

void read_value(FieldReader& reader, Value const& value, Meta const&, model::Ulimit& into) {
  auto const number = value.as_int();
  if (!number) return read_fields(reader, value, into);
  into.soft = into.hard = *number;
  reader.check_range(static_cast<double>(*number), -1, std::nullopt);
}

Value write_value(bool value, Defaults) { return Value(value); }
Value write_value(std::int64_t value, Defaults) { return Value(value); }
Value write_value(double value, Defaults) { return Value(value); }
Value write_value(std::string const& value, Defaults) { return Value(value); }
Value write_value(Bytes value, Defaults) { return Value(value.count); }
Value write_value(Duration value, Defaults) { return Value(format_duration(value)); }
Value write_value(std::vector<std::string> const& values, Defaults) { return Value(Value::Array(values.begin(), values.end())); }
Value write_value(model::Words const& value, Defaults defaults) { return write_value(value.items, defaults); }
Value write_value(model::KeyValues const& value, Defaults defaults) { return write_value(value.items, defaults); }
Value write_value(model::HealthTest const& value, Defaults defaults) { return write_value(value.items, defaults); }

// Protocol and mode are shown even where they are the defaults: a port that says only 80 is hard to read.
Value write_value(model::PortSpec const& port, Defaults defaults) {
  auto const all = write_fields(port, Defaults::Show);
  if (defaults == Defaults::Show) return all;
  auto const given = write_fields(port, Defaults::Omit);
  Object object;
  for (auto const& member : all.members()) {
    bool const is_wanted = !given.at(member.key).is_null() || member.key == "protocol" || member.key == "mode";
    if (is_wanted) object.set(member.key, member.value);
  }
  return Value(std::move(object));
}

}  // namespace davit::codec
