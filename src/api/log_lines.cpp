#include "api/log_lines.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "codec/json.hpp"

namespace davit::api {
namespace {

std::string label(std::string_view service, LogOrigin const& origin) {
  return fmt::format("{}.{}.{}", service, origin.slot, origin.node_name);
}

}  // namespace

void LogLines::widen_for(LogOrigin const& origin) { width_ = std::max(width_, label(service_, origin).size()); }

std::string LogLines::render(LogEntry const& entry) const {
  auto const& origin = *entry.origin;
  if (!entry.line) return note(fmt::format("{}.{} on {}: {}", service_, origin.slot, origin.node_name, entry.warning));
  if (!as_ndjson_) return fmt::format("{:<{}}    | {}\n", label(service_, origin), width_, entry.line->text);
  auto const line = codec::Value::object({{"time", format_rfc3339(entry.line->time)},
                                          {"node", origin.node_name},
                                          {"slot", origin.slot},
                                          {"instance", to_string(origin.instance)},
                                          {"stream", entry.line->stream == ports::LogStream::Stderr ? "stderr" : "stdout"},
                                          {"line", entry.line->text}});
  return codec::dump(line) + "\n";
}

std::string LogLines::note(std::string const& warning) const {
  return as_ndjson_ ? codec::dump(codec::Value::object({{"warning", warning}})) + "\n" : fmt::format("davit: {}\n", warning);
}

}  // namespace davit::api
