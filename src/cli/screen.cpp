#include "cli/screen.hpp"

#include <algorithm>

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/session.hpp"
#include "cli/table.hpp"

namespace davit::cli {
namespace {

constexpr std::size_t kFewestRows = 5;

struct Size {
  std::size_t rows = 24;
  std::size_t columns = 80;
};

Size terminal_size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return {};
  return {size.ws_row, size.ws_col};
}

std::string with_clock(SlotLine const& slot) {
  if (slot.clock.empty() || slot.detail.empty()) return slot.clock + slot.detail;
  return fmt::format("{}: {}", slot.clock, slot.detail);
}

}  // namespace

std::vector<std::string> lines_for(std::vector<SlotLine> const& slots, std::size_t rows) {
  auto const limit = std::max(rows, kFewestRows) - 2;  // a line for the count, one for the cursor
  std::vector<SlotLine const*> chosen;
  bool const fits = slots.size() <= limit;
  for (auto const& slot : slots) {
    if (fits || !slot.is_ready) chosen.push_back(&slot);
  }
  for (auto const& slot : slots) {
    if (!fits && slot.is_ready) chosen.push_back(&slot);
  }
  chosen.resize(std::min(chosen.size(), limit));
  std::vector<std::vector<std::string>> cells;
  for (auto const* slot : chosen) cells.push_back({slot->label, slot->node, fmt::format("{:<8}", slot->state), with_clock(*slot)});
  auto lines = align(cells);
  if (!fits) lines.push_back(fmt::format("… and {} more", slots.size() - limit));
  return lines;
}

std::vector<std::string> news(std::vector<SlotLine> const& slots, std::map<std::string, std::string>& shown) {
  std::vector<std::string> lines;
  for (auto const& slot : slots) {
    auto line = fmt::format("{}  {}  {:<8}  {}", slot.label, slot.node, slot.state, slot.detail);
    line.erase(line.find_last_not_of(' ') + 1);
    auto& last = shown[slot.label];
    if (last == line) continue;
    last = line;
    lines.push_back(std::move(line));
  }
  return lines;
}

Screen::Screen() : is_terminal_(::isatty(STDOUT_FILENO) == 1) {}

void Screen::show(std::vector<SlotLine> const& slots) {
  std::string text;
  if (!is_terminal_) {
    for (auto const& line : news(slots, shown_)) text += line + '\n';
    return print_out(text);
  }
  auto const size = terminal_size();
  auto const lines = lines_for(slots, size.rows);
  if (drawn_ > 0) text += fmt::format("\x1b[{}A", drawn_);
  for (auto const& line : lines) text += cut_to_width(line, size.columns - 1) + "\x1b[K\n";
  text += "\x1b[J";
  drawn_ = lines.size();
  print_out(text);
}

}  // namespace davit::cli
