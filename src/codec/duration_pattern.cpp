#include "codec/duration_pattern.hpp"

#include <cstdint>

#include <fmt/core.h>

namespace davit::codec {
namespace {

// Integers from 0 to `max`, without leading zeros.
std::string up_to(std::int64_t max) {
  auto const digits = std::to_string(max);
  if (digits.size() == 1) return fmt::format("[0-{}]", digits);
  std::string pattern = digits.size() == 2 ? "[0-9]" : fmt::format("(?:0|[1-9][0-9]{{0,{}}})", digits.size() - 2);
  for (std::size_t i = 0; i < digits.size(); ++i) {  // as `max` up to digit i, which is smaller
    char const low = i == 0 ? '1' : '0';
    if (digits[i] <= low) continue;
    pattern += fmt::format("|{}[{}-{}]", digits.substr(0, i), low, static_cast<char>(digits[i] - 1));
    if (i + 1 < digits.size()) pattern += fmt::format("[0-9]{{{}}}", digits.size() - i - 1);
  }
  return fmt::format("(?:{}|{})", pattern, digits);
}

}  // namespace

std::string duration_pattern(double min_seconds, double max_seconds) {
  auto const max = static_cast<std::int64_t>(max_seconds);
  std::string single;
  auto const unit = [&](std::string_view name, std::int64_t most) {
    if (most > 0) single += fmt::format("{}{}|", up_to(most), name);
  };
  unit("d", max / 86400);
  unit("h", max / 3600);
  unit("m", max / 60);
  unit("s", max);
  if (min_seconds < 1) {
    unit("ms", max * 1000);
    single += fmt::format("{}\\.[0-9]{{1,3}}s|", up_to(max - 1));
    if (max >= 60) single += fmt::format("{}\\.[0-9]{{1,3}}m|", up_to(max / 60 - 1));
    if (max >= 3600) single += fmt::format("{}\\.[0-9]{{1,3}}h|", up_to(max / 3600 - 1));
  }
  auto clock = max >= 7200 ? fmt::format("(?:{}h)?", up_to(max / 3600 - 1)) : std::string();
  clock += "(?:[1-5]?[0-9]m)?(?:[1-5]?[0-9]s)?";
  if (min_seconds < 1) clock += "(?:[1-9]?[0-9]{1,2}ms)?";
  if (min_seconds < 0.001) clock += "(?:[1-9]?[0-9]{1,2}us)?(?:[1-9]?[0-9]{1,2}ns)?";
  auto const start = min_seconds > 0 ? "(?=.*[1-9])" : "(?=.)";
  return fmt::format("^{}(?:{}{})$", start, single, clock);
}

}  // namespace davit::codec
