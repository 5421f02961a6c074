#include "model/syntax.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/core.h>

#include "model/image_reference.hpp"

namespace davit::model {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_alnum(char c) { return is_digit(c) || is_lower(c) || is_upper(c); }

bool are_digits(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_digit); }

// The text up to the separator, which goes from `rest` with it. With no separator: all of it, and `rest` has no data.
std::string_view take_until(std::string_view& rest, char separator) {
  auto const end = rest.find(separator);
  auto const part = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return part;
}

bool is_label(std::string_view text) {
  if (text.empty() || text.size() > 63 || !is_alnum(text.front()) || !is_alnum(text.back())) return false;
  return std::ranges::all_of(text, [](char c) { return is_alnum(c) || c == '-'; });
}

bool are_labels(std::string_view text) {
  while (text.data() != nullptr) {
    if (!is_label(take_until(text, '.'))) return false;
  }
  return true;
}

bool is_registry_host(std::string_view text) {
  if (text.starts_with('[')) {
    auto const end = text.find(']');
    if (end == std::string_view::npos || !is_ipv6(text.substr(1, end - 1))) return false;
    auto const port = text.substr(end + 1);
    return port.empty() || (port[0] == ':' && are_digits(port.substr(1)));
  }
  auto const colon = text.find(':');
  return are_labels(text.substr(0, colon)) && (colon == std::string_view::npos || are_digits(text.substr(colon + 1)));
}

// [a-z0-9]+ parts with ".", "_", "__" or dashes between two of them.
bool is_path_segment(std::string_view text) {
  auto const is_word = [](char c) { return is_digit(c) || is_lower(c); };
  if (text.empty() || !is_word(text.front()) || !is_word(text.back())) return false;
  for (std::size_t i = 0; i < text.size();) {
    if (is_word(text[i])) {
      ++i;
      continue;
    }
    auto const end =
        static_cast<std::size_t>(std::find_if(text.begin() + static_cast<std::ptrdiff_t>(i), text.end(), is_word) - text.begin());
    auto const separator = text.substr(i, end - i);
    bool const is_known =
        separator == "." || separator == "_" || separator == "__" || separator.find_first_not_of('-') == std::string_view::npos;
    if (!is_known) return false;
    i = end;
  }
  return true;
}

bool is_tag(std::string_view text) {
  if (text.empty() || text.size() > 128 || text[0] == '.' || text[0] == '-') return false;
  return std::ranges::all_of(text, [](char c) { return is_alnum(c) || c == '_' || c == '.' || c == '-'; });
}

bool is_digest(std::string_view text) {
  constexpr std::string_view kPrefix = "sha256:";
  if (!text.starts_with(kPrefix) || text.size() != kPrefix.size() + 64) return false;
  return std::ranges::all_of(text.substr(kPrefix.size()), [](char c) { return is_hex(c) && !is_upper(c); });
}

constexpr std::array kSignals =
    std::to_array<std::string_view>({"ABRT", "ALRM", "BUS",  "CHLD", "CLD",  "CONT", "FPE",    "HUP",    "ILL",  "INT", "IO",   "IOT",
                                     "KILL", "PIPE", "POLL", "PROF", "PWR",  "QUIT", "SEGV",   "STKFLT", "STOP", "SYS", "TERM", "TRAP",
                                     "TSTP", "TTIN", "TTOU", "URG",  "USR1", "USR2", "VTALRM", "WINCH",  "XCPU", "XFSZ"});

// A number from `low` to `high` of at most two digits.
bool is_small_number(std::string_view text, int low, int high) {
  if (!are_digits(text) || text.size() > 2 || text[0] == '0') return false;
  int const value = text.size() == 1 ? text[0] - '0' : (text[0] - '0') * 10 + (text[1] - '0');
  return value >= low && value <= high;
}

}  // namespace

bool is_service_name(std::string_view text) {
  auto const is_end = [](char c) { return is_digit(c) || is_lower(c); };
  if (text.empty() || text.size() > 63 || !is_end(text.front()) || !is_end(text.back())) return false;
  return std::ranges::all_of(text, [&](char c) { return is_end(c) || c == '_' || c == '-'; });
}

std::optional<std::string> why_no_image(std::string_view reference) {
  if (reference.empty()) return "must be given, as in \"nginx:1.27\"";
  if (reference.find_first_of(" \t\r\n") != std::string_view::npos) return "has a blank; a reference has none, as in \"nginx:1.27\"";
  auto const parts = split_image_reference(reference);
  if (!parts.registry.empty() && !is_registry_host(parts.registry))
    return fmt::format("'{}' is not a registry, as in \"registry.example.com:5000\"", parts.registry);
  if (std::ranges::any_of(parts.path, is_upper))
    return fmt::format("'{}' has upper-case letters; a repository's name has none", parts.path);
  for (auto rest = parts.path; rest.data() != nullptr;) {
    auto const segment = take_until(rest, '/');
    if (!is_path_segment(segment))
      return fmt::format("'{}' is not a repository's name; write it as in \"nginx:1.27\" or \"registry.example.com/team/app:2\"",
                         parts.path);
  }
  if (parts.registry.size() + parts.path.size() > 254) return "is too long; a repository's name has at most 255 characters";
  if (parts.tag && !is_tag(*parts.tag)) return fmt::format("'{}' is not a tag: letters, digits, '_', '.', '-', at most 128", *parts.tag);
  if (parts.digest && !is_digest(*parts.digest)) return "the digest must be sha256: and 64 hexadecimal digits in lower case";
  bool const looks_like_id = parts.registry.empty() && parts.path.size() == 64 && std::ranges::all_of(parts.path, is_hex);
  if (looks_like_id) return "is an image's id, which only one engine knows; write a repository's name";
  return std::nullopt;
}

bool is_unpinned(std::string_view reference) {
  auto const parts = split_image_reference(reference);
  return !parts.digest && (!parts.tag || *parts.tag == "latest");
}

bool is_ipv4(std::string_view text) {
  int parts = 0;
  while (text.data() != nullptr) {
    auto const part = take_until(text, '.');
    if (!are_digits(part) || part.size() > 3 || (part.size() > 1 && part[0] == '0')) return false;
    if (part.size() == 3 && part > "255") return false;
    ++parts;
  }
  return parts == 4;
}

bool is_ipv6(std::string_view text) {
  auto const gap = text.find("::");
  bool const has_gap = gap != std::string_view::npos;
  if (has_gap && text.find("::", gap + 1) != std::string_view::npos) return false;
  int groups = 0;
  auto const count = [&](std::string_view side, bool is_last) {
    while (side.data() != nullptr) {
      auto const group = take_until(side, ':');
      bool const may_be_v4 = is_last && side.data() == nullptr;
      if (may_be_v4 && is_ipv4(group)) groups += 2;
      else if (!group.empty() && group.size() <= 4 && std::ranges::all_of(group, is_hex)) groups += 1;
      else return false;
    }
    return true;
  };
  if (!has_gap) return !text.empty() && count(text, true) && groups == 8;
  auto const before = text.substr(0, gap);
  auto const after = text.substr(gap + 2);
  return (before.empty() || count(before, false)) && (after.empty() || count(after, true)) && groups < 8;
}

bool is_hostname(std::string_view text) { return !text.empty() && text.size() <= 63 && are_labels(text); }

bool is_absolute_path(std::string_view text) {
  if (!text.starts_with('/')) return false;
  for (auto rest = text.substr(1); rest.data() != nullptr;) {
    if (take_until(rest, '/') == "..") return false;
  }
  return true;
}

bool is_engine_name(std::string_view text) {
  if (text.size() < 2 || text.size() > 255 || !is_alnum(text[0])) return false;
  return std::ranges::all_of(text, [](char c) { return is_alnum(c) || c == '_' || c == '.' || c == '-'; });
}

bool is_signal(std::string_view text) {
  if (is_small_number(text, 1, 64)) return true;
  if (text.starts_with("SIG")) text.remove_prefix(3);
  if (text.starts_with("RTMIN") || text.starts_with("RTMAX")) {
    char const sign = text.starts_with("RTMIN") ? '+' : '-';
    text.remove_prefix(5);
    return text.empty() || (text[0] == sign && is_small_number(text.substr(1), 1, 15));
  }
  return std::ranges::find(kSignals, text) != kSignals.end();
}

std::span<std::string_view const> signal_names() { return kSignals; }

std::span<std::string const> ulimit_names() {
  static std::vector<std::string> const kNames{"core",   "cpu",   "data", "fsize",  "locks",  "memlock",    "msgqueue", "nice",
                                               "nofile", "nproc", "rss",  "rtprio", "rttime", "sigpending", "stack"};
  return kNames;
}

}  // namespace davit::model
