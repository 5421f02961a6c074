// Lists for people: aligned columns as docker prints them, or lines by a template. Cells are escaped here. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace davit::cli {

class Table {
 public:
  explicit Table(std::vector<std::string> headers) : headers_(std::move(headers)) {}

  void add(std::vector<std::string> cells);
  std::size_t size() const { return rows_.size(); }
  // Two blanks between columns, none at the end of a line.
  std::string render() const;
  // One line per row; {{.Image}} is the cell of the column IMAGE. Code::Invalid names a column that is none.
  Result<std::string> render(std::string_view format) const;
  std::string render_first_column() const;  // for -q

 private:
  std::vector<std::string> headers_;
  std::vector<std::vector<std::string>> rows_;
};

// Lines of aligned columns, without a header and without escaping.
std::vector<std::string> align(std::vector<std::vector<std::string>> const& rows);

// How many columns of a terminal the text takes, counting each character as one.
std::size_t width_of(std::string_view text);
std::string cut_to_width(std::string text, std::size_t width);

}  // namespace davit::cli
