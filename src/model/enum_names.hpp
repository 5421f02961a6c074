// The words that enumerators are written as in the API, the journal and the command line. One table per enum.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace davit::model {

template <class E>
struct EnumNames;  // specialised with: static constexpr std::array<std::pair<E, std::string_view>, N> kAll

template <class E>
concept NamedEnum = requires { EnumNames<E>::kAll; };

template <NamedEnum E>
constexpr std::string_view to_string(E value) noexcept {
  for (auto const& [known, name] : EnumNames<E>::kAll) {
    if (known == value) return name;
  }
  return "?";
}

template <NamedEnum E>
constexpr std::optional<E> parse_enum(std::string_view text) noexcept {
  for (auto const& [known, name] : EnumNames<E>::kAll) {
    if (name == text) return known;
  }
  return std::nullopt;
}

}  // namespace davit::model

// DAVIT_ENUM_NAMES(Protocol, {Protocol::Tcp, "tcp"}, {Protocol::Udp, "udp"}); outside of any other namespace than davit::model.
#define DAVIT_ENUM_NAMES(E, ...)                                                               \
  template <>                                                                                  \
  struct EnumNames<E> {                                                                        \
    static constexpr auto kAll = std::to_array<std::pair<E, std::string_view>>({__VA_ARGS__}); \
  }
