// Lines that change while one watches: on a terminal they are written over, elsewhere only what is new is appended.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/progress.hpp"

namespace davit::cli {

// The lines for a terminal of that many rows: all, or what is not ready yet first and a count of the rest.
std::vector<std::string> lines_for(std::vector<SlotLine> const& slots, std::size_t rows);

// The lines of slots that are not what `shown` holds (by label), which is brought up to date.
std::vector<std::string> news(std::vector<SlotLine> const& slots, std::map<std::string, std::string>& shown);

class Screen {
 public:
  Screen();
  void show(std::vector<SlotLine> const& slots);  // in place of those shown before

 private:
  bool is_terminal_;
  std::size_t drawn_ = 0;  // lines, which the next show() writes over
  std::map<std::string, std::string> shown_;
};

}  // namespace davit::cli
