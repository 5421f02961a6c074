// What is wrong with a request, said so that the user can put it right: errors[] and warnings[] of the API (api.md).
#pragma once

#include <string>
#include <string_view>

namespace davit::model {

struct Problem {
  std::string pointer;  // JSON pointer as a fragment: "#/ports/1/published"
  std::string code;     // one of problem_code
  std::string detail;   // one sentence that names the way out
  friend bool operator==(Problem const&, Problem const&) = default;
};

namespace problem_code {
inline constexpr std::string_view kUnknownField = "unknown_field";
inline constexpr std::string_view kWrongType = "wrong_type";
inline constexpr std::string_view kOutOfRange = "out_of_range";
inline constexpr std::string_view kRequired = "required";
inline constexpr std::string_view kUnknownValue = "unknown_value";  // not among the words that the field knows
inline constexpr std::string_view kInvalidValue = "invalid_value";
inline constexpr std::string_view kDuplicate = "duplicate";
inline constexpr std::string_view kConflict = "conflict";  // two fields that exclude each other
inline constexpr std::string_view kUnsupported = "unsupported";
inline constexpr std::string_view kTooLarge = "too_large";
}  // namespace problem_code

// A key as it stands in a JSON pointer (RFC 6901).
inline std::string pointer_token(std::string_view key) {
  std::string token;
  token.reserve(key.size());
  for (char const c : key) {
    if (c == '~') token += "~0";
    else if (c == '/') token += "~1";
    else token += c;
  }
  return token;
}

}  // namespace davit::model
