// --filter key=value of the lists: all given ones must hold. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace davit::cli {

using Filters = std::vector<std::pair<std::string, std::string>>;

// Code::Invalid for a key that is not among `known`.
Result<Filters> parse_filters(std::vector<std::string> const& texts, std::vector<std::string> const& known);

// Whether the value is among those that the filters want for the key; several for one key are alternatives, as in docker.
bool fits(Filters const& filters, std::string_view key, std::string_view value);

// "key" or "key=value" against labels; an empty selector fits nothing.
bool fits_label(std::string_view selector, std::string_view key, std::string_view value);

}  // namespace davit::cli
