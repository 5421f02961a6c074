#include "base/time.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <fmt/core.h>

namespace davit {
namespace {

struct Unit {
  std::string_view name;
  Duration size;
};
constexpr std::array<Unit, 7> kUnits{{{"d", 24h}, {"h", 1h}, {"m", 1min}, {"s", 1s}, {"ms", 1ms}, {"us", 1us}, {"ns", 1ns}}};
constexpr double kLongest = 100.0 * 365 * 24 * 3600 * 1e9;  // a hundred years, in ns

bool is_number_start(char c) { return (c >= '0' && c <= '9') || c == '.'; }

std::unexpected<Error> bad_duration(std::string_view text) {
  return fail(Code::Invalid, fmt::format("'{}' is not a duration; write it with units, as in \"1m30s\" or \"500ms\"", text));
}

// Reads exactly `digits` decimal digits at `position`, or fails with -1.
int digits_at(std::string_view text, std::size_t position, std::size_t digits) {
  if (position + digits > text.size()) return -1;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    char const c = text[position + i];
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  std::string_view rest = text;
  if (rest.empty()) return bad_duration(text);
  double total = 0;
  std::size_t next_unit = 0;
  while (!rest.empty()) {
    if (!is_number_start(rest.front())) return bad_duration(text);  // from_chars reads "nan" and "inf" as well
    double number = 0;
    auto const [end, failed] = std::from_chars(rest.data(), rest.data() + rest.size(), number, std::chars_format::fixed);
    if (failed != std::errc{} || number < 0) return bad_duration(text);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    auto const length = std::min(rest.find_first_of("0123456789."), rest.size());
    auto unit = next_unit;
    while (unit < kUnits.size() && kUnits[unit].name != rest.substr(0, length)) ++unit;
    if (unit == kUnits.size()) return bad_duration(text);
    total += number * static_cast<double>(kUnits[unit].size.count());
    if (total > kLongest) return bad_duration(text);
    next_unit = unit + 1;
    rest.remove_prefix(length);
  }
  return Duration(std::llround(total));
}

std::string format_duration(Duration duration) {
  if (duration == Duration::zero()) return "0s";
  std::string text;
  if (duration < Duration::zero()) {
    text = "-";
    duration = -duration;
  }
  for (auto const& unit : kUnits) {
    if (unit.name == "d") continue;  // docker's and compose's users write hours
    if (auto const count = duration / unit.size; count > 0) {
      text += fmt::format("{}{}", count, unit.name);
      duration -= count * unit.size;
    }
  }
  return text;
}

std::string format_age(Duration duration) {
  for (auto const& unit : kUnits) {
    if (unit.size < 1s) break;
    if (duration >= unit.size) return fmt::format("{}{}", duration / unit.size, unit.name);
  }
  return "0s";
}

Result<Wall> parse_rfc3339(std::string_view text) {
  auto const bad = [&] { return fail(Code::Invalid, fmt::format("'{}' is not an RFC 3339 time, as in 2026-01-02T03:04:05Z", text)); };
  int const year = digits_at(text, 0, 4), month = digits_at(text, 5, 2), day = digits_at(text, 8, 2);
  int const hour = digits_at(text, 11, 2), minute = digits_at(text, 14, 2), second = digits_at(text, 17, 2);
  if (year < 0 || month < 0 || day < 0 || hour < 0 || minute < 0 || second < 0 || text.size() < 20) return bad();
  if (text[4] != '-' || text[7] != '-' || (text[10] | 0x20) != 't' || text[13] != ':' || text[16] != ':') return bad();
  std::chrono::year_month_day const date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return bad();

  std::size_t position = 19;
  std::chrono::milliseconds fraction{0};
  if (text[position] == '.') {
    int scale = 100;
    for (++position; position < text.size() && text[position] >= '0' && text[position] <= '9'; ++position, scale /= 10) {
      fraction += std::chrono::milliseconds{(text[position] - '0') * scale};
    }
  }
  std::chrono::minutes offset{0};
  auto const zone = text.substr(position);
  if (zone.size() == 6 && (zone[0] == '+' || zone[0] == '-') && zone[3] == ':') {
    int const hours = digits_at(zone, 1, 2), minutes = digits_at(zone, 4, 2);
    if (hours < 0 || minutes < 0) return bad();
    offset = std::chrono::minutes{(hours * 60 + minutes) * (zone[0] == '-' ? -1 : 1)};
  } else if (zone != "Z" && zone != "z") {
    return bad();
  }
  return Wall{std::chrono::sys_days{date}} + std::chrono::hours{hour} + std::chrono::minutes{minute} + std::chrono::seconds{second} +
         fraction - offset;
}

std::string format_rfc3339(Wall time) {
  auto const day = std::chrono::floor<std::chrono::days>(time);
  std::chrono::year_month_day const date{day};
  std::chrono::hh_mm_ss const clock{time - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

}  // namespace davit
