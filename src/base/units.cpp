#include "base/units.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include <fmt/core.h>

namespace davit {
namespace {
constexpr std::string_view kPrefixes = "kmgtp";
constexpr std::array<std::string_view, 6> kNames{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
}  // namespace

Result<Bytes> parse_bytes(std::string_view text) {
  auto const bad = [&] {
    return fail(Code::Invalid, fmt::format("'{}' is not a size; write bytes or a unit, as in \"512m\" or \"2g\"", text));
  };
  // from_chars reads "nan" and "inf" as well.
  if (text.empty() || text.find_first_not_of("0123456789.") == 0) return bad();
  double number = 0;
  auto const [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (failed != std::errc{} || number < 0) return bad();
  std::string unit(end, text.data() + text.size());
  for (char& c : unit) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  if (unit.ends_with("ib")) unit.resize(unit.size() - 2);
  else if (unit.ends_with('b')) unit.resize(unit.size() - 1);
  if (unit.size() > 1) return bad();
  if (!unit.empty()) {
    auto const power = kPrefixes.find(unit[0]);
    if (power == std::string_view::npos) return bad();
    number = std::ldexp(number, static_cast<int>(10 * (power + 1)));
  }
  if (number > 0x1p62) return bad();
  return Bytes{std::llround(number)};
}

std::string format_bytes(Bytes bytes) {
  auto value = static_cast<double>(bytes.count);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kNames.size()) value /= 1024, ++unit;
  if (unit == 0 || value >= 100 || value == std::floor(value)) return fmt::format("{:.0f} {}", value, kNames[unit]);
  return fmt::format("{:.1f} {}", value, kNames[unit]);
}

}  // namespace davit
