#include "codec/field_reader.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "base/nearest.hpp"

namespace davit::codec {
namespace {

using namespace model::problem_code;

std::string shorten(std::string text) {
  constexpr std::size_t kLongest = 500;
  if (text.size() <= kLongest) return text;
  auto end = kLongest;
  while (end > 0 && (text[end] & 0xC0) == 0x80) --end;  // not within a character
  return text.substr(0, end) + "…";
}

std::string did_you_mean(std::string_view word, std::span<std::string_view const> known) {
  return nearest(word, std::vector<std::string>(known.begin(), known.end()));
}

}  // namespace

void add_problem(std::vector<model::Problem>& problems, model::Problem problem) {
  if (problems.size() >= kMaxProblems) return;
  problems.push_back({shorten(std::move(problem.pointer)), std::move(problem.code), shorten(std::move(problem.detail))});
}

void FieldReader::report(std::string_view code, std::string detail) {
  add_problem(problems_, {pointer_, std::string(code), std::move(detail)});
}

void FieldReader::wrong_type(std::string_view expected, Value const& got) {
  report(kWrongType, fmt::format("expected {}, got {}", expected, describe(got)));
}

Object const* FieldReader::expect_object(Value const& value) {
  auto const* const object = value.as_object();
  if (!object) wrong_type("an object", value);
  return object;
}
Value::Array const* FieldReader::expect_array(Value const& value) {
  auto const* const array = value.as_array();
  if (!array) wrong_type("an array", value);
  return array;
}
std::string const* FieldReader::expect_string(Value const& value) {
  auto const* const string = value.as_string();
  if (string) return string;
  bool const is_quotable = value.as_bool() || value.as_number();
  if (is_quotable) wrong_type("a string (put it in quotes)", value);
  else wrong_type("a string", value);
  return nullptr;
}

std::optional<std::size_t> FieldReader::expect_word(Value const& value, std::span<std::string_view const> names) {
  auto const* const word = expect_string(value);
  if (!word) return std::nullopt;
  auto const found = std::ranges::find(names, *word);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  auto const near = did_you_mean(*word, names);
  std::string allowed;
  for (auto const name : names) allowed += fmt::format("{}{}", allowed.empty() ? "" : ", ", name);
  report(kUnknownValue,
         near.empty() ? fmt::format("expected one of: {}", allowed) : fmt::format("did you mean {}? Expected one of: {}", near, allowed));
  return std::nullopt;
}

void FieldReader::refuse_unknown(Object const& object, std::span<std::string_view const> known) {
  for (auto const& member : object) {
    if (problems_.size() >= kMaxProblems) return;
    if (std::ranges::find(known, member.key) != known.end()) continue;
    auto const scope = at(member.key);
    auto const near = did_you_mean(member.key, known);
    report(kUnknownField, near.empty() ? "no such field" : fmt::format("did you mean {}?", near));
  }
}

void FieldReader::check_range(double value, std::optional<double> min, std::optional<double> max, std::string_view unit) {
  if ((!min || value >= *min) && (!max || value <= *max)) return;
  if (min && max) report(kOutOfRange, fmt::format("must be from {0}{2} to {1}{2}", *min, *max, unit));
  else if (min) report(kOutOfRange, fmt::format("must be at least {}{}", *min, unit));
  else report(kOutOfRange, fmt::format("must be at most {}{}", *max, unit));
}

}  // namespace davit::codec
