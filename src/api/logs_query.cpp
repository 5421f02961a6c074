#include "api/logs_query.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

#include "api/request_options.hpp"

namespace davit::api {
namespace {

template <class Integer>
std::optional<Integer> whole_number(std::string_view text) {
  Integer number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Result<std::optional<std::int64_t>> read_tail(std::string_view text) {
  if (text == "all") return std::optional<std::int64_t>();
  auto const lines = whole_number<std::int64_t>(text);
  if (!lines || *lines < 0) return fail(Code::Invalid, fmt::format("'{}' is no number of lines; write 100, or all", text), "?tail");
  return lines;
}

Result<Wall> read_since(std::string_view text, Wall now) {
  if (auto const time = parse_rfc3339(text)) return std::max(*time, Wall{});
  auto const age = parse_duration(text);
  if (!age) return fail(Code::Invalid, fmt::format("'{}' is no time; write 10m, or 2026-01-02T03:04:05Z", text), "?since");
  return std::max(std::chrono::floor<std::chrono::milliseconds>(now - *age), Wall{});
}

Status read_stream(std::string_view text, ports::LogQuery& what) {
  what.with_stdout = text == "stdout";
  what.with_stderr = text == "stderr";
  if (what.with_stdout || what.with_stderr) return {};
  return fail(Code::Invalid, fmt::format("'{}' is no stream; write stdout or stderr, or leave it out for both", text), "?stream");
}

Result<std::uint32_t> read_slot(std::string_view text) {
  auto const slot = whole_number<std::uint32_t>(text);
  if (!slot || *slot == 0) return fail(Code::Invalid, fmt::format("'{}' is no slot; the first one is 1", text), "?slot");
  return *slot;
}

}  // namespace

Result<LogsQuery> read_logs_query(http::Request const& request, Wall now) {
  LogsQuery read;
  TRY(read.what.follow, read_flag(request, "follow"));
  TRY(read.previous, read_flag(request, "previous"));
  if (read.previous && read.what.follow)
    return fail(Code::Invalid, "a container that has ended prints no more: leave it out with previous", "?follow");
  if (auto const text = request.query_value("tail")) {
    TRY(read.what.tail, read_tail(*text));
  }
  if (auto const text = request.query_value("since")) {
    TRY(read.what.since, read_since(*text, now));
  }
  if (auto const text = request.query_value("stream")) TRY_VOID(read_stream(*text, read.what));
  if (auto const text = request.query_value("slot")) {
    TRY(read.slot, read_slot(*text));
  }
  auto const accept = request.headers.get("Accept");
  read.as_ndjson = accept.contains("ndjson") || accept.contains("application/json");
  return read;
}

}  // namespace davit::api
