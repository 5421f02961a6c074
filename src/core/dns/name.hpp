// A domain name, kept as it stands in a message but in lower case, for names are compared without regard to case.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace davit::dns {

using Bytes = std::span<std::uint8_t const>;

// Case is that of ASCII letters alone, whatever bytes a label has.
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

class Name {
 public:
  static constexpr std::size_t kMaxSize = 255;  // bytes, with the root label

  // The name at this place of a message. Nothing: it is cut off, too long or compressed. A question's name has nothing before it that
  // it could point to.
  static std::optional<Name> read(Bytes message, std::size_t at);
  // "svc.example.org", with or without the final dot. Nothing: it has an empty label or is too long.
  static std::optional<Name> parse(std::string_view text);

  std::string_view wire() const { return {bytes_.data(), size_}; }  // labels with their lengths, and the root
  std::size_t count() const { return count_; }                      // of labels without the root
  std::string_view label(std::size_t index) const;                  // the first is the leftmost

  bool is_within(Name const& domain) const;
  friend bool operator==(Name const& a, Name const& b) { return a.wire() == b.wire(); }

 private:
  bool add(std::string_view label);  // false: too long
  void end() { bytes_[size_++] = 0; }

  std::array<char, kMaxSize> bytes_;
  std::array<std::uint8_t, 128> starts_;  // where the labels' lengths are in bytes_
  std::uint8_t size_ = 0;
  std::uint8_t count_ = 0;
};

// Without the final dot; the root is ".". For logs and tests: a dot within a label is not told from one between labels.
std::string to_string(Name const& name);

}  // namespace davit::dns
