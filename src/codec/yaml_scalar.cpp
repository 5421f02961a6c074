#include "codec/yaml_scalar.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

namespace davit::codec {
namespace {

constexpr std::string_view kTagPrefix = "tag:yaml.org,2002:";

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, text) != words.end();
}
bool is_null(std::string_view text) { return is_one_of(text, {"", "~", "null", "Null", "NULL"}); }
bool is_true(std::string_view text) { return is_one_of(text, {"true", "True", "TRUE"}); }
bool is_false(std::string_view text) { return is_one_of(text, {"false", "False", "FALSE"}); }

bool are_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// -?(0|[1-9][0-9]*): a leading zero would be octal to some readers and decimal to others.
bool is_decimal(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return are_digits(text) && (text.size() == 1 || text[0] != '0');
}
bool is_hexadecimal(std::string_view text) {
  return text.size() > 2 && text.starts_with("0x") && text.find_first_not_of("0123456789abcdefABCDEF", 2) == std::string_view::npos;
}

// -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][-+]?[0-9]+)? with at least one of the two parts, as in JSON.
bool is_fraction(std::string_view text) {
  auto const exponent = std::min(text.find_first_of("eE"), text.size());
  auto const dot = std::min(text.find('.'), exponent);
  if (!is_decimal(text.substr(0, dot))) return false;
  if (dot < exponent && !are_digits(text.substr(dot + 1, exponent - dot - 1))) return false;
  if (exponent == text.size()) return dot < exponent;
  auto power = text.substr(exponent + 1);
  if (power.starts_with('-') || power.starts_with('+')) power.remove_prefix(1);
  return are_digits(power);
}

Result<Value> integer(std::string_view text) {
  int const base = is_hexadecimal(text) ? 16 : 10;
  auto const digits = base == 16 ? text.substr(2) : text;
  std::int64_t value = 0;
  auto const [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (failed != std::errc{}) return fail(Code::Invalid, fmt::format("{} is an integer beyond 64 bits; put it in quotes", text));
  return Value(value);
}
Result<Value> fraction(std::string_view text) {
  double value = 0;
  auto const [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{}) return fail(Code::Invalid, fmt::format("{} is beyond what a number can hold; put it in quotes", text));
  return Value(value);
}

Result<Value> plain(std::string_view text) {
  if (is_null(text)) return Value();
  if (is_true(text) || is_false(text)) return Value(is_true(text));
  if (is_decimal(text) || is_hexadecimal(text)) return integer(text);
  if (is_fraction(text)) return fraction(text);
  return Value(text);
}

}  // namespace

Result<Value> resolve_scalar(std::string_view text, std::string_view tag) {
  if (tag.empty() || tag == "?") return plain(text);
  if (tag == "!") return Value(text);
  if (!tag.starts_with(kTagPrefix)) return fail(Code::Unsupported, fmt::format("the tag {} is not supported", tag));
  auto const type = tag.substr(kTagPrefix.size());
  if (type == "str") return Value(text);
  if (type == "null" && is_null(text)) return Value();
  if (type == "bool" && (is_true(text) || is_false(text))) return Value(is_true(text));
  if (type == "int" && (is_decimal(text) || is_hexadecimal(text))) return integer(text);
  if (type == "float" && (is_decimal(text) || is_fraction(text))) return fraction(text);
  return fail(Code::Invalid, fmt::format("'{}' does not fit its tag !!{}", text, type));
}

}  // namespace davit::codec
