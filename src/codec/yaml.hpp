// YAML text to Value, with the place of each node, so that what is wrong can be said with line and column. Any thread.
//
// Scalars are read as compose files need it, not by YAML 1.1's letter: plain true/false are booleans, plain decimal and 0x
// numbers are numbers, null, ~ and nothing are null. Everything else is a string: yes, on, 0755 and 8080:80 too (1.1 reads the
// last as a sexagesimal number). Anchors, aliases and `<<` work; no key may come twice; what `<<` brings gives way to own keys.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "codec/value.hpp"

namespace davit::codec {

// 1-based.
struct Mark {
  std::size_t line = 0;
  std::size_t column = 0;
  friend bool operator==(Mark const&, Mark const&) = default;
};

struct YamlDocument {
  std::string name;  // of the file
  Value root;
  std::map<std::string, Mark, std::less<>> marks;  // by JSON pointer ("#/services/web"); a member's mark is its key's

  // "compose.yaml:3:5" for the node or, where it has no place of its own (an alias's content), for what holds it.
  std::string locate(std::string_view pointer) const;
};

// One document, depth <= 32. Errors begin with "NAME:LINE:COLUMN: ".
Result<YamlDocument> parse_yaml(std::string_view text, std::string_view name);

}  // namespace davit::codec
