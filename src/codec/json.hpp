// JSON text to Value and back. Reading is strict: depth <= 32, no key twice, UTF-8 only, integers of 64 bits. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "codec/value.hpp"

namespace davit::codec {

inline constexpr std::size_t kMaxDepth = 32;

// Errors name line and column for broken syntax, and the place as a JSON pointer (Error::field) for what is well formed
// and refused all the same.
Result<Value> parse_json(std::string_view text);

enum class Indent : std::uint8_t { Compact, Pretty };

// Always valid JSON: bytes that are no UTF-8 become U+FFFD, infinite numbers null. Doubles are as short as can be and a
// whole one has no fraction (8, not 8.0), so the same Value gives the same bytes for ever.
std::string dump(Value const& value, Indent indent = Indent::Compact);

// The text with its quotes, for fragments that are put together by hand.
std::string escape_json(std::string_view text);

}  // namespace davit::codec
