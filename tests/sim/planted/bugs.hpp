// The deliberate faults of base/planted.hpp by name, each with the rule that it breaks.
#pragma once

#include <span>
#include <string_view>

#include "base/planted.hpp"

namespace davit::sim {

struct Planted {
  Bug bug;
  std::string_view name;
  std::string_view what;
};

std::span<Planted const> all_planted();
Planted const* find_planted(std::string_view name);

}  // namespace davit::sim
