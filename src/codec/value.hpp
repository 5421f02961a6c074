// Value: the program's one document tree, for JSON and YAML alike. Parsers build it, renderers fill it, dump() writes it.
// Objects keep the order of insertion and cannot hold a key twice. Getters never coerce: a number is not a string, 2.9 is
// not 2, true is not 1. Trees come from our parsers (depth <= 32) or our own code, so walking them may recurse.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/check.hpp"
#include "base/result.hpp"

namespace davit::codec {

class Value;
struct Member;  // key and value
struct Entry;   // the same, as written in Value::object({...})

class Object {
 public:
  Object() noexcept;
  Object(Object const&);
  Object(Object&&) noexcept;
  Object& operator=(Object const&);
  Object& operator=(Object&&) noexcept;
  ~Object();

  // Fails with the key, as message, that comes twice. n log n, where a set() for each is n * n.
  static Result<Object> from_members(std::vector<Member> members);

  Value const* find(std::string_view key) const noexcept;
  Value* find(std::string_view key) noexcept;
  Value& set(std::string_view key, Value value);  // replaces in place, or appends
  bool erase(std::string_view key);
  void reserve(std::size_t count);

  std::size_t size() const noexcept;
  bool empty() const noexcept;
  Member const* begin() const noexcept;
  Member const* end() const noexcept;
  std::vector<Member> take_members() && noexcept;

  friend bool operator==(Object const& a, Object const& b);

 private:
  std::vector<Member> members_;
};

class Value {
 public:
  using Array = std::vector<Value>;
  enum class Kind : std::uint8_t { Null, Bool, Integer, Double, String, Array, Object };

  Value() noexcept;
  Value(std::nullptr_t) noexcept;
  template <std::same_as<bool> B>
  Value(B value) noexcept : Value(std::in_place_type<bool>, value) {}
  template <std::integral I>
    requires(!std::same_as<I, bool> && !std::same_as<I, char>)
  Value(I value) : Value(std::in_place_type<std::int64_t>, static_cast<std::int64_t>(value)) {
    CHECK(std::in_range<std::int64_t>(value), "{} does not fit", value);
  }
  Value(double value) noexcept;
  Value(std::string value) noexcept;
  Value(std::string_view value);
  Value(char const* value);
  Value(Array value) noexcept;
  Value(Object value) noexcept;
  template <class T>
  Value(std::optional<T> value) : Value() {
    if (value) *this = Value(*std::move(value));
  }

  Value(Value const&);
  Value(Value&&) noexcept;
  Value& operator=(Value const&);
  Value& operator=(Value&&) noexcept;
  ~Value();

  // Value::object({{"name", name}, {"ready", 3}}); the values are moved, not copied. A repeated key is a broken invariant.
  static Value object(std::initializer_list<Entry> entries = {});
  template <class... T>
  static Value array(T&&... items) {
    Array all;
    all.reserve(sizeof...(items));
    (all.emplace_back(std::forward<T>(items)), ...);
    return Value(std::move(all));
  }

  Kind kind() const noexcept { return static_cast<Kind>(data_.index()); }
  bool is_null() const noexcept { return kind() == Kind::Null; }

  std::optional<bool> as_bool() const noexcept;
  std::optional<std::int64_t> as_int() const noexcept;  // also of a double that is whole: in JSON 3.0 is the integer 3
  std::optional<double> as_number() const noexcept;     // of an integer or a double
  std::string const* as_string() const noexcept;
  Array const* as_array() const noexcept;
  Object const* as_object() const noexcept;
  std::string* as_string() noexcept;
  Array* as_array() noexcept;
  Object* as_object() noexcept;

  // For reading what others wrote: the member, or a null Value where this is no object or has no such member, so that
  // value.at("State").at("Running").as_bool() is safe to write.
  Value const& at(std::string_view key) const noexcept;
  std::string_view text() const noexcept;          // the string, or ""
  std::span<Value const> items() const noexcept;   // the array's elements, or none
  std::span<Member const> members() const noexcept;  // the object's members, or none

  // For building. set() is for objects, push() for arrays; null becomes what is asked of it.
  Value& set(std::string_view key, Value value);
  Value& push(Value value);

  friend bool operator==(Value const& a, Value const& b);

 private:
  Value(std::in_place_type_t<bool>, bool value) noexcept;
  Value(std::in_place_type_t<std::int64_t>, std::int64_t value) noexcept;

  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> data_;
};

struct Member {
  std::string key;
  Value value;
  friend bool operator==(Member const&, Member const&) = default;
};

struct Entry {
  std::string_view key;
  mutable Value value;  // an initializer_list is const, and copying whole answers would be waste
};

// "a string", "the number 3", "an object": for messages that say what came instead.
std::string describe(Value const& value);

}  // namespace davit::codec
