#include "cli/filter.hpp"

#include <algorithm>

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace davit::cli {

Result<Filters> parse_filters(std::vector<std::string> const& texts, std::vector<std::string> const& known) {
  Filters filters;
  for (auto const& text : texts) {
    auto const equals = text.find('=');
    auto key = text.substr(0, equals);
    if (equals == std::string::npos) return fail(Code::Invalid, fmt::format("--filter: {} has no value; write it as {}=VALUE", text, text));
    if (std::ranges::find(known, key) == known.end()) {
      return fail(Code::Invalid, fmt::format("--filter: no such key: {}; take one of {}", key, fmt::join(known, ", ")));
    }
    filters.emplace_back(std::move(key), text.substr(equals + 1));
  }
  return filters;
}

bool fits(Filters const& filters, std::string_view key, std::string_view value) {
  bool is_asked = false;
  for (auto const& [wanted_key, wanted] : filters) {
    if (wanted_key != key) continue;
    if (wanted == value) return true;
    is_asked = true;
  }
  return !is_asked;
}

bool fits_label(std::string_view selector, std::string_view key, std::string_view value) {
  auto const equals = selector.find('=');
  if (selector.empty() || selector.substr(0, equals) != key) return false;
  return equals == std::string_view::npos || selector.substr(equals + 1) == value;
}

}  // namespace davit::cli
