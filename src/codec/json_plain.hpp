// The JSON that programs write for each other, several times as fast as json.hpp reads all of it: any structure, but in strings only
// printable ASCII without escapes, and numbers without exponents. Any thread.
#pragma once

#include <optional>
#include <string_view>

#include "codec/value.hpp"

namespace davit::codec {

// What parse_json() gives for it. Nothing: it is not that plain, or it is wrong; parse_json() knows which.
std::optional<Value> parse_plain_json(std::string_view text);

}  // namespace davit::codec
