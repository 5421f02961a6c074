// A small file that takes the old one's place as a whole, so that nobody ever reads half of it. Not flushed: for what may be lost with
// the machine.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.hpp"

namespace davit::app {

Status replace_file(std::filesystem::path const& file, std::string_view text);

}  // namespace davit::app
