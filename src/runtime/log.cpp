#include "runtime/log.hpp"

#include <array>
#include <memory>
#include <string>

#include <fmt/core.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace davit::runtime {
namespace {

constexpr auto kPattern = "%Y-%m-%dT%H:%M:%S.%eZ %-5l %n: %v";
constexpr std::array<std::string_view, 6> kLevels{"trace", "debug", "info", "warn", "error", "off"};

// Made at the first log line and kept until the process ends, so that destructors of statics may log too.
spdlog::sink_ptr const& shared_sink() {
  static auto* const sink = [] {
    spdlog::set_level(spdlog::level::warn);
    spdlog::set_formatter(std::make_unique<spdlog::pattern_formatter>(kPattern, spdlog::pattern_time_type::utc));
    return new spdlog::sink_ptr(std::make_shared<spdlog::sinks::stderr_sink_mt>());
  }();
  return *sink;
}

}  // namespace

Status init_log(std::string_view level) {
  for (auto const known : kLevels) {
    if (level != known) continue;
    shared_sink();
    spdlog::set_level(spdlog::level::from_str(std::string(level)));
    return {};
  }
  return fail(Code::Invalid, fmt::format("'{}' is not a log level; take trace, debug, info, warn, error or off", level), "log_level");
}

spdlog::logger& logger(std::string_view component) {
  std::string const name(component);
  auto const& sink = shared_sink();
  if (auto known = spdlog::get(name)) return *known;
  auto made = std::make_shared<spdlog::logger>(name, sink);
  try {
    spdlog::initialize_logger(made);  // gives it level and pattern and keeps it in the registry
  } catch (spdlog::spdlog_ex const&) {
    return *spdlog::get(name);  // another thread was first
  }
  return *made;
}

}  // namespace davit::runtime
