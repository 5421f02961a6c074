// CHECK(condition, format, ...): an invariant that holds or the process ends at once, in every build.
#pragma once

#include <string>
#include <string_view>

#include <fmt/core.h>

namespace davit {

[[noreturn]] void check_failed(std::string_view file, int line, std::string_view condition, std::string const& message) noexcept;

}  // namespace davit

#define CHECK(condition, ...)                                                               \
  do {                                                                                      \
    if (!(condition)) [[unlikely]]                                                          \
      ::davit::check_failed(__FILE__, __LINE__, #condition, ::fmt::format("" __VA_ARGS__)); \
  } while (false)
