#include "adapters/engine_docker/engine_json.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <string>
#include <system_error>
#include <utility>

#include "codec/json.hpp"

namespace davit::engine_docker {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The end of the string literal that begins at `at`.
std::size_t skip_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return std::min(at + 1, text.size());
}

bool is_beyond(std::string_view integer) {
  std::int64_t value = 0;
  return std::from_chars(integer.data(), integer.data() + integer.size(), value).ec == std::errc::result_out_of_range;
}

std::string clamp_integers(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    auto end = at + 1;
    if (text[at] == '"') {
      end = skip_string(text, at);
    } else if (is_digit(text[at]) || text[at] == '-') {
      while (end < text.size() && is_digit(text[end])) ++end;
      bool const is_integer = end == text.size() || (text[end] != '.' && text[end] != 'e' && text[end] != 'E');
      if (is_integer && is_beyond(text.substr(at, end - at))) {
        out += std::to_string(text[at] == '-' ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max());
        at = end;
        continue;
      }
    }
    out += text.substr(at, end - at);
    at = end;
  }
  return out;
}

}  // namespace

Result<codec::Value> parse_engine_json(std::string_view text) {
  auto value = codec::parse_json(text);
  return value ? std::move(value) : codec::parse_json(clamp_integers(text));
}

}  // namespace davit::engine_docker
