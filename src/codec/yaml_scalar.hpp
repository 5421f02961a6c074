// What a YAML scalar means (yaml.hpp).
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "codec/value.hpp"

namespace davit::codec {

// `tag` as yaml-cpp gives it: "?" or "" for a plain scalar, "!" for a quoted one, else what the text says.
Result<Value> resolve_scalar(std::string_view text, std::string_view tag);

}  // namespace davit::codec
