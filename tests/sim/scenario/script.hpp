// A scenario as text: what it is about (comments), commands, and after `---` the trace that is expected. Plain values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace davit::sim {

using Words = std::vector<std::string>;

struct ScriptLine {
  std::size_t number = 0;
  std::string text;
  Words words;
};

struct Script {
  std::string head;  // all up to the line `---`, which follows it
  std::vector<ScriptLine> lines;
  std::string expected;  // all after it
};

Script parse_script(std::string_view text);
std::string to_text(Script const& script, std::string_view trace);

Result<std::int64_t> parse_count(std::string_view text);

}  // namespace davit::sim
