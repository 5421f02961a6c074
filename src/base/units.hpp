// Sizes in bytes, as docker users write them.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace davit {

struct Bytes {
  std::int64_t count = 0;
  friend auto operator<=>(Bytes const&, Bytes const&) = default;
};

// "512m", "1.5g", "64k", "1048576", "10mb", "2GiB"; all 1024-based.
Result<Bytes> parse_bytes(std::string_view text);
std::string format_bytes(Bytes bytes);  // "1.2 GiB", for people

}  // namespace davit
