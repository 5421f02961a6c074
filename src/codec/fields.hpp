// From field tables (model/field.hpp) to readers and writers: read_fields() and write_fields() for a struct, and the
// overloads of read_value() and write_value() for what its members are. A type with a form of its own has a plain overload;
// the templates here only walk, so that they stay cheap to compile.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "base/units.hpp"
#include "codec/field_reader.hpp"
#include "codec/value.hpp"
#include "model/enum_names.hpp"
#include "model/field.hpp"
#include "model/spec.hpp"

namespace davit::codec {

using model::Meta;

void read_value(FieldReader&, Value const&, Meta const&, bool&);
void read_value(FieldReader&, Value const&, Meta const&, std::int64_t&);
void read_value(FieldReader&, Value const&, Meta const&, double&);
void read_value(FieldReader&, Value const&, Meta const&, std::string&);
void read_value(FieldReader&, Value const&, Meta const&, Bytes&);
void read_value(FieldReader&, Value const&, Meta const&, Duration&);
void read_value(FieldReader&, Value const&, Meta const&, std::vector<std::string>&);
void read_value(FieldReader&, Value const&, Meta const&, model::Words&);
void read_value(FieldReader&, Value const&, Meta const&, model::KeyValues&);
void read_value(FieldReader&, Value const&, Meta const&, model::HealthTest&);
void read_value(FieldReader&, Value const&, Meta const&, model::PortSpec&);
void read_value(FieldReader&, Value const&, Meta const&, model::Mount&);
void read_value(FieldReader&, Value const&, Meta const&, model::Ulimit&);

enum class Defaults : std::uint8_t { Omit, Show };

Value write_value(bool, Defaults);
Value write_value(std::int64_t, Defaults);
Value write_value(double, Defaults);
Value write_value(std::string const&, Defaults);
Value write_value(Bytes, Defaults);
Value write_value(Duration, Defaults);
Value write_value(std::vector<std::string> const&, Defaults);
Value write_value(model::Words const&, Defaults);
Value write_value(model::KeyValues const&, Defaults);
Value write_value(model::HealthTest const&, Defaults);
Value write_value(model::PortSpec const&, Defaults);

template <model::NamedEnum E>
constexpr auto names_of_enum() {
  constexpr auto& all = model::EnumNames<E>::kAll;
  std::array<std::string_view, all.size()> names;
  for (std::size_t i = 0; i < all.size(); ++i) names[i] = all[i].second;
  return names;
}

template <model::HasFields S>
constexpr auto names_of_fields() {
  return std::apply([](auto const&... each) { return std::array<std::string_view, sizeof...(each)>{each.name...}; },
                    model::Fields<S>::kAll);
}

// Records of the store are written whole: their tables say so by kStored (record_fields.hpp).
template <class S>
concept OmitsDefaults = model::HasFields<S> && !requires { model::Fields<S>::kStored; };

template <OmitsDefaults S>
S const& default_of() {
  static S const value{};
  return value;
}

template <model::NamedEnum E>
void read_value(FieldReader& reader, Value const& value, Meta const&, E& into) {
  static constexpr auto names = names_of_enum<E>();
  if (auto const index = reader.expect_word(value, names)) into = model::EnumNames<E>::kAll[*index].first;
}

template <model::HasFields S>
void read_fields(FieldReader& reader, Value const& value, S& into);

template <model::HasFields S>
void read_value(FieldReader& reader, Value const& value, Meta const&, S& into) {
  read_fields(reader, value, into);
}

template <class T>
void read_value(FieldReader& reader, Value const& value, Meta const& meta, std::optional<T>& into) {
  read_value(reader, value, meta, into.emplace());
}

template <class T>
void read_value(FieldReader& reader, Value const& value, Meta const& meta, std::vector<T>& into) {
  auto const* const items = reader.expect_array(value);
  if (!items) return;
  into.resize(items->size());
  for (std::size_t i = 0; i < items->size(); ++i) {
    auto const scope = reader.at(i);
    read_value(reader, (*items)[i], meta, into[i]);
  }
}

template <class T>
void read_value(FieldReader& reader, Value const& value, Meta const& meta, std::map<std::string, T>& into) {
  auto const* const object = reader.expect_object(value);
  if (!object) return;
  for (auto const& member : *object) {
    auto const scope = reader.at(member.key);
    read_value(reader, member.value, meta, into[member.key]);
  }
}

template <class S, class M>
void read_field(FieldReader& reader, Object const& object, model::Field<S, M> const& field, S& into) {
  auto const* const value = object.find(field.name);
  if (!value || value->is_null()) {  // null is the default
    if (!field.meta.required) return;
    auto const scope = reader.at(field.name);
    reader.report(model::problem_code::kRequired, "must be given");
    return;
  }
  auto const scope = reader.at(field.name);
  auto const count = reader.count();
  read_value(reader, *value, field.meta, into.*field.member);
  if constexpr (OmitsDefaults<S>) {
    bool const is_default = reader.count() == count && into.*field.member == default_of<S>().*field.member;
    if (field.meta.unsupported.empty() || is_default) return;
    reader.forget_from(count);  // one answer is enough, and this one is the way out
    reader.report(model::problem_code::kUnsupported, "not supported yet: " + std::string(field.meta.unsupported));
  }
}

template <model::HasFields S>
void read_fields(FieldReader& reader, Value const& value, S& into) {
  static constexpr auto names = names_of_fields<S>();
  auto const* const object = reader.expect_object(value);
  if (!object) return;
  model::for_each_field<S>([&](auto const& field) { read_field(reader, *object, field, into); });
  reader.refuse_unknown(*object, names);
}

template <model::NamedEnum E>
Value write_value(E value, Defaults) {
  return Value(model::to_string(value));
}

template <model::HasFields S>
Value write_fields(S const& from, Defaults defaults);

template <model::HasFields S>
Value write_value(S const& value, Defaults defaults) {
  return write_fields(value, defaults);
}

template <class T>
Value write_value(std::optional<T> const& value, Defaults defaults) {
  return value ? write_value(*value, defaults) : Value();
}

template <class T>
Value write_value(std::vector<T> const& values, Defaults defaults) {
  Value::Array items;
  items.reserve(values.size());
  for (auto const& each : values) items.push_back(write_value(each, defaults));
  return Value(std::move(items));
}

template <class T>
Value write_value(std::map<std::string, T> const& values, Defaults defaults) {
  std::vector<Member> members;
  members.reserve(values.size());
  for (auto const& [key, each] : values) members.emplace_back(key, write_value(each, defaults));
  return Value(*Object::from_members(std::move(members)));
}

// With Defaults::Omit only what differs from the default and what is required.
template <model::HasFields S>
Value write_fields(S const& from, Defaults defaults) {
  Object object;
  model::for_each_field<S>([&](auto const& field) {
    auto const& value = from.*field.member;
    if constexpr (OmitsDefaults<S>) {
      bool const is_default = value == default_of<S>().*field.member;
      if (defaults == Defaults::Omit && is_default && !field.meta.required) return;
    }
    object.set(field.name, write_value(value, defaults));
  });
  return Value(std::move(object));
}

}  // namespace davit::codec
