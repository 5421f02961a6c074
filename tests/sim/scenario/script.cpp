#include "sim/scenario/script.hpp"

#include <charconv>

#include <fmt/core.h>

namespace davit::sim {
namespace {

constexpr std::string_view kRule = "---\n";

Words split(std::string_view text) {
  Words words;
  while (true) {
    auto const begin = text.find_first_not_of(' ');
    if (begin == std::string_view::npos || text[begin] == '#') return words;
    text.remove_prefix(begin);
    auto const end = std::min(text.find(' '), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

}  // namespace

Script parse_script(std::string_view text) {
  Script script;
  for (std::size_t number = 1; !text.empty(); ++number) {
    auto const line = text.substr(0, std::min(text.find('\n'), text.size() - 1) + 1);
    text.remove_prefix(line.size());
    if (line == kRule) break;
    script.head += line;
    auto const content = line.substr(0, line.find_last_not_of("\n") + 1);
    if (auto words = split(content); !words.empty()) script.lines.push_back({number, std::string(content), std::move(words)});
  }
  script.expected = text;
  return script;
}

std::string to_text(Script const& script, std::string_view trace) { return fmt::format("{}{}{}", script.head, kRule, trace); }

Result<std::int64_t> parse_count(std::string_view text) {
  std::int64_t number = 0;
  auto const [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size()) return fail(Code::Invalid, fmt::format("'{}' is no number", text));
  return number;
}

}  // namespace davit::sim
