#include "api/log_sources.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace davit::api {
namespace {

constexpr std::size_t kLineOverhead = sizeof(ports::LogLine);

}  // namespace

LogSources::LogSources(ports::InstanceLogs& logs, ports::LogQuery what, std::function<void()> on_news)
    : logs_(logs),
      what_(std::move(what)),
      on_news_(std::move(on_news)) {}

void LogSources::update(std::vector<LogOrigin> const& origins, Monotonic now) {
  now_ = now;
  std::set<std::string_view> wanted;
  for (auto const& origin : origins) {
    wanted.insert(origin.container);
    auto& source = sources_[origin.container];
    if (!source) {
      source = std::make_unique<Source>(Source{.origin = origin});
      open(*source);
    } else if (source->retry_at <= now) {
      source->origin.is_reachable = origin.is_reachable;
      open(*source);
    }
  }
  std::erase_if(sources_, [&](auto const& entry) {
    auto& source = *entry.second;
    if (wanted.contains(entry.first)) return false;
    source.retry_at = kNever;
    bool const is_warned_of = std::ranges::any_of(warnings_, [&](LogEntry const& warning) { return warning.origin == &source.origin; });
    return source.has_ended && source.lines.empty() && !is_warned_of;
  });
  is_first_update_ = false;
}

void LogSources::open(Source& source) {
  source.has_ended = source.is_paused = false;
  source.retry_at = kNever;
  if (!source.origin.is_reachable) return on_end(source, fail(Code::Unavailable, "the node is not connected"));
  auto query = what_;
  query.container = source.origin.container;
  bool const is_resumed = source.newest != Wall{};
  if (is_resumed) query.since = source.newest + 1ms;
  if (is_resumed || !is_first_update_) query.tail.reset();  // who was there from the start of a container wants all of it
  source.reader = logs_.read(
      source.origin.node, std::move(query), [this, &source](ports::LogLine line) { on_line(source, std::move(line)); },
      [this, &source](Status const& status) { on_end(source, status); });
}

void LogSources::on_line(Source& source, ports::LogLine line) {
  source.newest = std::max(source.newest, line.time);
  source.bytes += line.text.size() + kLineOverhead;
  source.lines.push_back(std::move(line));
  if (!source.is_paused && source.bytes >= share()) {
    source.is_paused = true;
    source.reader->pause();
  }
  on_news_();
}

void LogSources::on_end(Source& source, Status const& status) {
  source.has_ended = true;
  if (!status) {
    warn(source, status.error().message);
    bool const may_come_back = what_.follow && status.error().code != Code::NotFound;
    if (may_come_back) source.retry_at = now_ + kRetryInterval;
  }
  on_news_();
}

void LogSources::warn(Source& source, std::string why) {
  if (source.warning == why) return;
  source.warning = why;
  warnings_.push_back({.origin = &source.origin, .warning = std::move(why)});
}

std::optional<LogEntry> LogSources::take() {
  if (!warnings_.empty()) {
    auto warning = std::move(warnings_.front());
    warnings_.pop_front();
    return warning;
  }
  Source* first = nullptr;
  for (auto const& [container, source] : sources_) {
    if (source->lines.empty()) {
      if (!what_.follow && !source->has_ended) return std::nullopt;
      continue;
    }
    if (!first || source->lines.front().time < first->lines.front().time) first = source.get();
  }
  if (!first) return std::nullopt;
  LogEntry entry{.origin = &first->origin, .line = std::move(first->lines.front())};
  first->lines.pop_front();
  first->bytes -= entry.line->text.size() + kLineOverhead;
  if (first->is_paused && first->bytes <= share() / 2) {
    first->is_paused = false;
    if (!first->has_ended) first->reader->resume();
  }
  return entry;
}

void LogSources::give_up_silent(std::string const& why) {
  for (auto const& [container, source] : sources_) {
    if (source->has_ended || !source->lines.empty()) continue;
    source->reader.reset();
    source->has_ended = true;
    warn(*source, why);
  }
}

bool LogSources::is_finished() const {
  return warnings_.empty() &&
         std::ranges::all_of(sources_, [](auto const& entry) { return entry.second->has_ended && entry.second->lines.empty(); });
}

Monotonic LogSources::retry_at() const {
  Monotonic at = kNever;
  for (auto const& [container, source] : sources_) at = std::min(at, source->retry_at);
  return at;
}

}  // namespace davit::api
