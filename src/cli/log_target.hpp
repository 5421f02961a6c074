// Which logs were asked for. Pure.
#pragma once

#include <string>

#include "cli/command.hpp"

namespace davit::cli {

struct LogTarget {
  std::string service;
  std::string path;  // "/services/web/logs?slot=2&follow=true"
};

LogTarget log_target(Invocation const& invocation);

}  // namespace davit::cli
