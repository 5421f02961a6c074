// JSON as engines write it: with unsigned integers of 64 bits, which our own documents do not have. A process limit that is
// not set comes as 18446744073709551615 on cgroups v2.
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "codec/value.hpp"

namespace davit::engine_docker {

// codec::parse_json, but integers beyond std::int64_t become its greatest or least.
Result<codec::Value> parse_engine_json(std::string_view text);

}  // namespace davit::engine_docker
