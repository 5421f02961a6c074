// What the machines note, as lines of the log.
#pragma once

#include <string_view>

#include <spdlog/spdlog.h>

#include "runtime/log.hpp"

namespace davit::app {

template <class Noted>
void log_note(std::string_view component, Noted const& note) {
  runtime::logger(component).log(note.is_warning ? spdlog::level::warn : spdlog::level::info, "{}", note.text);
}

}  // namespace davit::app
