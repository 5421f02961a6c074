#include "cli/table.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "base/nearest.hpp"
#include "cli/problem_text.hpp"
#include "codec/utf8.hpp"

namespace davit::cli {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

}  // namespace

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string cut_to_width(std::string text, std::size_t width) {
  std::size_t at = 0;
  for (std::size_t column = 0; at < text.size() && column < width; ++column) {
    at += std::max<std::size_t>(1, codec::utf8_character(std::string_view(text).substr(at)));
  }
  text.resize(std::min(at, text.size()));
  return text;
}

std::vector<std::string> align(std::vector<std::vector<std::string>> const& rows) {
  std::vector<std::size_t> widths;
  for (auto const& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::vector<std::string> lines;
  for (auto const& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      line.append(widths[i] - width_of(row[i]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  }
  return lines;
}

void Table::add(std::vector<std::string> cells) {
  for (auto& cell : cells) cell = escape_text(cell);
  rows_.push_back(std::move(cells));
}

std::string Table::render() const {
  auto rows = rows_;
  rows.insert(rows.begin(), headers_);
  std::string text;
  for (auto const& line : align(rows)) text += line + '\n';
  return text;
}

std::string Table::render_first_column() const {
  std::string text;
  for (auto const& row : rows_) text += row.front() + '\n';
  return text;
}

Result<std::string> Table::render(std::string_view format) const {
  std::string text;
  for (auto const& row : rows_) {
    auto rest = format;
    for (;;) {
      auto const open = rest.find("{{.");
      auto const close = rest.find("}}", open);
      text += rest.substr(0, open);
      if (open == std::string_view::npos || close == std::string_view::npos) break;
      auto const name = rest.substr(open + 3, close - open - 3);
      auto const column = std::ranges::find(headers_, lower(name), lower);
      if (column == headers_.end()) {
        auto const near = nearest(lower(name), headers_);
        return fail(Code::Invalid, fmt::format("--format: no such column: {}{}", name, near.empty() ? "" : "; did you mean " + near + "?"));
      }
      text += row[static_cast<std::size_t>(column - headers_.begin())];
      rest.remove_prefix(close + 2);
    }
    text += '\n';
  }
  return text;
}

}  // namespace davit::cli
