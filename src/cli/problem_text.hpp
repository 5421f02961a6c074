// What the server's problem documents say, as text for people.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "codec/value.hpp"

namespace davit::cli {

// What the user calls the place that a JSON pointer points to: "--publish", or "compose.yaml:3:5".
using PlaceName = std::function<std::string(std::string_view pointer)>;

// "Invalid spec: nothing was changed", and a line "  --env: did you mean …" for each error.
std::string problem_text(codec::Value const& problem, PlaceName const& place_name);

// The error that stands for an answer of status 400 and above; Error::field is the problem's code, or "http" without one.
Error error_of_answer(int status, std::string_view body, PlaceName const& place_name);

// Text of others for a terminal: control characters and what is no UTF-8 come out as \xNN.
std::string escape_text(std::string_view text);

}  // namespace davit::cli
