// The process's log: lines on stderr with time, level and component (the folder's name). Any thread.
#pragma once

#include <string_view>

#include <spdlog/logger.h>

#include "base/result.hpp"

namespace davit::runtime {

// Level is one of trace, debug, info, warn, error, off. Before this call, warnings and worse are written.
Status init_log(std::string_view level);

// The component's logger, which lives as long as the process.
spdlog::logger& logger(std::string_view component);

}  // namespace davit::runtime
