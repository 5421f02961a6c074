// Where UTF-8 is whole and where it is not: JSON and YAML are refused if it is not, and answers replace what is not.
#pragma once

#include <cstddef>
#include <string_view>

namespace davit::codec {

// The length of the well-formed character at the start of `text` (no overlong form, no surrogate, at most U+10FFFF), or 0.
std::size_t utf8_character(std::string_view text) noexcept;

// The offset of the first byte that belongs to no well-formed character, or npos.
std::size_t find_invalid_utf8(std::string_view text) noexcept;

}  // namespace davit::codec
