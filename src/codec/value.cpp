#include "codec/value.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/core.h>

namespace davit::codec {
namespace {
Value const kNull;
}  // namespace

Object::Object() noexcept = default;
Object::Object(Object const&) = default;
Object::Object(Object&&) noexcept = default;
Object& Object::operator=(Object const&) = default;
Object& Object::operator=(Object&&) noexcept = default;
Object::~Object() = default;

Result<Object> Object::from_members(std::vector<Member> members) {
  std::vector<std::string_view> keys;
  keys.reserve(members.size());
  for (auto const& member : members) keys.push_back(member.key);
  std::ranges::sort(keys);
  if (auto const twice = std::ranges::adjacent_find(keys); twice != keys.end()) return fail(Code::Invalid, std::string(*twice));
  Object object;
  object.members_ = std::move(members);
  return object;
}

Value const* Object::find(std::string_view key) const noexcept {
  auto const found = std::ranges::find(members_, key, &Member::key);
  return found == members_.end() ? nullptr : &found->value;
}
Value* Object::find(std::string_view key) noexcept { return const_cast<Value*>(std::as_const(*this).find(key)); }

Value& Object::set(std::string_view key, Value value) {
  if (auto* const known = find(key)) return *known = std::move(value);
  return members_.emplace_back(std::string(key), std::move(value)).value;
}

bool Object::erase(std::string_view key) {
  return std::erase_if(members_, [&](Member const& member) { return member.key == key; }) > 0;
}

void Object::reserve(std::size_t count) { members_.reserve(count); }
bool Object::empty() const noexcept { return members_.empty(); }
std::size_t Object::size() const noexcept { return members_.size(); }
Member const* Object::begin() const noexcept { return members_.data(); }
Member const* Object::end() const noexcept { return members_.data() + members_.size(); }
std::vector<Member> Object::take_members() && noexcept { return std::move(members_); }
bool operator==(Object const& a, Object const& b) { return a.members_ == b.members_; }

Value::Value() noexcept = default;
Value::Value(std::nullptr_t) noexcept {}
Value::Value(std::in_place_type_t<bool>, bool value) noexcept : data_(value) {}
Value::Value(std::in_place_type_t<std::int64_t>, std::int64_t value) noexcept : data_(value) {}
Value::Value(double value) noexcept : data_(value) {}
Value::Value(std::string value) noexcept : data_(std::move(value)) {}
Value::Value(std::string_view value) : data_(std::string(value)) {}
Value::Value(char const* value) : data_(std::string(value)) {}
Value::Value(Array value) noexcept : data_(std::move(value)) {}
Value::Value(Object value) noexcept : data_(std::move(value)) {}
Value::Value(Value const&) = default;
Value::Value(Value&&) noexcept = default;
Value& Value::operator=(Value const&) = default;
Value& Value::operator=(Value&&) noexcept = default;
Value::~Value() = default;

Value Value::object(std::initializer_list<Entry> entries) {
  std::vector<Member> members;
  members.reserve(entries.size());
  for (auto const& entry : entries) members.emplace_back(std::string(entry.key), std::move(entry.value));
  auto object = Object::from_members(std::move(members));
  CHECK(object, "member {} twice", object.error().message);
  return Value(*std::move(object));
}

std::optional<bool> Value::as_bool() const noexcept {
  auto const* const value = std::get_if<bool>(&data_);
  return value ? std::optional(*value) : std::nullopt;
}
std::optional<std::int64_t> Value::as_int() const noexcept {
  if (auto const* const value = std::get_if<std::int64_t>(&data_)) return *value;
  auto const* const value = std::get_if<double>(&data_);
  constexpr double kExact = 9007199254740992;  // 2^53: beyond, doubles skip integers
  if (value && std::abs(*value) <= kExact && *value == std::trunc(*value)) return static_cast<std::int64_t>(*value);
  return std::nullopt;
}
std::optional<double> Value::as_number() const noexcept {
  if (auto const* const value = std::get_if<double>(&data_)) return *value;
  auto const* const value = std::get_if<std::int64_t>(&data_);
  return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
}
std::string const* Value::as_string() const noexcept { return std::get_if<std::string>(&data_); }
Value::Array const* Value::as_array() const noexcept { return std::get_if<Array>(&data_); }
Object const* Value::as_object() const noexcept { return std::get_if<codec::Object>(&data_); }
std::string* Value::as_string() noexcept { return std::get_if<std::string>(&data_); }
Value::Array* Value::as_array() noexcept { return std::get_if<Array>(&data_); }
Object* Value::as_object() noexcept { return std::get_if<codec::Object>(&data_); }

Value const& Value::at(std::string_view key) const noexcept {
  auto const* const object = as_object();
  auto const* const member = object ? object->find(key) : nullptr;
  return member ? *member : kNull;
}
std::string_view Value::text() const noexcept {
  auto const* const string = as_string();
  return string ? std::string_view(*string) : std::string_view();
}
std::span<Value const> Value::items() const noexcept {
  auto const* const array = as_array();
  return array ? std::span<Value const>(*array) : std::span<Value const>();
}
std::span<Member const> Value::members() const noexcept {
  auto const* const object = as_object();
  return object ? std::span<Member const>(object->begin(), object->size()) : std::span<Member const>();
}

Value& Value::set(std::string_view key, Value value) {
  if (is_null()) data_ = codec::Object();
  auto* const object = as_object();
  CHECK(object, "set({}) on {}", key, describe(*this));
  object->set(key, std::move(value));
  return *this;
}
Value& Value::push(Value value) {
  if (is_null()) data_ = Array();
  auto* const array = as_array();
  CHECK(array, "push on {}", describe(*this));
  array->push_back(std::move(value));
  return *this;
}

bool operator==(Value const& a, Value const& b) { return a.data_ == b.data_; }

std::string describe(Value const& value) {
  switch (value.kind()) {
    case Value::Kind::Null: return "null";
    case Value::Kind::Bool: return *value.as_bool() ? "true" : "false";
    case Value::Kind::Integer: return fmt::format("the number {}", *value.as_int());
    case Value::Kind::Double: return fmt::format("the number {}", *value.as_number());
    case Value::Kind::String: {
      auto const text = value.text();
      return text.size() <= 40 ? fmt::format("the string \"{}\"", text) : "a string";
    }
    case Value::Kind::Array: return "an array";
    case Value::Kind::Object: return "an object";
  }
  return "?";
}

}  // namespace davit::codec
