// The program's version, as CMake's project() states it.
#pragma once

#include <string_view>

namespace davit::app {

inline constexpr std::string_view kVersion = DAVIT_VERSION;

}  // namespace davit::app
