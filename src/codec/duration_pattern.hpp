// The durations of a range as a regular expression, for the OpenAPI document.
#pragma once

#include <optional>
#include <string>

namespace davit::codec {

// One unit, whole or with a fraction ("90s", "1.5h"), or several as a clock shows them ("1h30m", "59s500ms"). parse_duration()
// takes some more ("90m90s"), but what this matches is in the range of seconds.
std::string duration_pattern(double min_seconds, double max_seconds);

}  // namespace davit::codec
