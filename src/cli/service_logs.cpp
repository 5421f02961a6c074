#include <fmt/core.h>

#include "cli/commands.hpp"
#include "cli/log_target.hpp"
#include "cli/paths.hpp"
#include "cli/session.hpp"
#include "codec/json.hpp"

namespace davit::cli {
namespace {

// {"time":…,"node":…,"slot":2,"stream":…,"line":…} as docker prints it.
void print_line(std::string const& service, std::string_view text, bool as_json) {
  auto const entry = as_json ? Result<codec::Value>(fail(Code::Invalid, "")) : codec::parse_json(text);
  if (!entry) return print_out(std::string(text) + "\n");
  auto const slot = entry->at("slot").as_int();
  print_out(fmt::format("{} {}.{}@{} | {}\n", entry->at("time").text(), service, slot ? std::to_string(*slot) : "-",
                        entry->at("node").text(), entry->at("line").text()));
}

// Plain text goes out byte by byte as it came: it is the container's own.
boost::asio::awaitable<Status> async_print(Session* session, LogTarget target, bool with_time) {
  bool const as_text = !with_time && !session->wants_json();
  http::Headers headers{{"Accept", as_text ? "text/plain" : "application/x-ndjson"}};
  auto stream = co_await session->async_open(target.path, std::move(headers));
  if (!stream) co_return std::unexpected<Error>(stream.error());
  std::string rest;
  for (;;) {
    auto const bytes = co_await stream->async_read();
    if (!bytes) co_return std::unexpected<Error>(bytes.error());
    if (bytes->empty()) break;
    if (as_text) {
      print_out(*bytes);
      continue;
    }
    rest += *bytes;
    for (std::size_t end; (end = rest.find('\n')) != std::string::npos; rest.erase(0, end + 1)) {
      print_line(target.service, std::string_view(rest).substr(0, end), session->wants_json());
    }
  }
  if (!rest.empty()) print_line(target.service, rest, session->wants_json());
  co_return Status();
}

Result<int> logs(Session& session, Invocation const& invocation) {
  TRY_VOID(session.run_blocking("logs", async_print(&session, log_target(invocation), invocation.is_on("timestamps"))));
  return 0;
}

}  // namespace

LogTarget log_target(Invocation const& invocation) {
  std::string_view const word = invocation.words().front();
  LogTarget target{.service = std::string(word), .path = {}};
  http::Query query;
  auto const dot = word.rfind('.');  // no service has one in its name
  if (dot != std::string_view::npos) {
    target.service = word.substr(0, dot);
    query.emplace_back("slot", word.substr(dot + 1));
  }
  for (auto const* const name : {"follow", "previous"}) {
    if (invocation.is_on(name)) query.emplace_back(name, "true");
  }
  for (auto const* const name : {"tail", "since", "stream"}) {
    if (invocation.has(name)) query.emplace_back(name, invocation.text(name));
  }
  target.path = service_path(target.service, "/logs") + http::encode_query(query);
  return target;
}

Command service_logs_command() {
  return {.path = {"service", "logs"},
          .summary = "Print what the containers of a service print.",
          .examples = {"davit service logs -f web", "davit service logs --tail 100 web.2",
                       "davit service logs --since 10m --stream stderr web", "davit service logs --previous web.2"},
          .positionals = {{.name = "SERVICE[.SLOT]"}},
          .options = {{.name = "follow", .letter = 'f', .help = "Go on with what comes."},
                      {.name = "tail", .letter = 'n', .value = "LINES", .help = "Only the last lines of each instance."},
                      {.name = "since", .value = "TIME", .help = "Only what is younger: 10m, or 2026-01-02T03:04:05Z."},
                      {.name = "timestamps", .letter = 't', .help = "Each line with its time, instance and node."},
                      {.name = "stream", .value = "STREAM", .help = "Only one of the streams.", .words = {"stdout", "stderr"}},
                      {.name = "previous", .help = "Of the containers before the present ones: what they printed before their end."}},
          .calls_server = true,
          .run = with_session(logs)};
}

}  // namespace davit::cli
