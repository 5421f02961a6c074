#include "codec/utf8.hpp"

namespace davit::codec {

std::size_t utf8_character(std::string_view text) noexcept {
  auto const byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  auto const continues = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  unsigned const first = byte(0);
  if (text.empty()) return 0;
  if (first < 0x80) return 1;
  if (first < 0xC2) return 0;  // a continuation byte, or an overlong form of ASCII
  if (first < 0xE0) return continues(1) ? 2 : 0;
  if (first < 0xF0) {
    bool const is_overlong = first == 0xE0 && byte(1) < 0xA0;
    bool const is_surrogate = first == 0xED && byte(1) >= 0xA0;
    return continues(1) && continues(2) && !is_overlong && !is_surrogate ? 3 : 0;
  }
  bool const is_overlong = first == 0xF0 && byte(1) < 0x90;
  bool const is_beyond = first > 0xF4 || (first == 0xF4 && byte(1) >= 0x90);
  return continues(1) && continues(2) && continues(3) && !is_overlong && !is_beyond ? 4 : 0;
}

std::size_t find_invalid_utf8(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size();) {
    auto const length = utf8_character(text.substr(i));
    if (length == 0) return i;
    i += length;
  }
  return std::string_view::npos;
}

}  // namespace davit::codec
